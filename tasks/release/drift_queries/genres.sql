-- Tracks by genre.
SELECT coalesce(genre, 'none') AS bin, count(*) AS rows
FROM tracks
GROUP BY bin;
