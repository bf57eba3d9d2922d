-- `plays.dislikes` should be met by some rows; rows that `plays.where` leaves out are no dislikes.
-- warn: nothing
-- only: disliking
SELECT 'no row is a dislike' AS offence, 1 AS rows
FROM counts
WHERE dislike_rows = 0;
