-- Tracks by decade of release.
SELECT coalesce(format('{}s', year // 10 * 10), 'none') AS bin, count(*) AS rows
FROM tracks
GROUP BY bin;
