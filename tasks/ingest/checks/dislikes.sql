-- Rows of the history that are dislikes, and plays of tracks that the listener dislikes in the end.
-- warn: everything
-- of: play_records
-- only: disliking
WITH kinds AS (
    SELECT 'dislikes' AS offence, dislike_rows AS rows FROM counts
    UNION ALL
    SELECT 'plays of disliked tracks' AS offence, disliked_plays AS rows FROM counts
)
SELECT offence, rows
FROM kinds
WHERE rows > 0
ORDER BY rows DESC;
