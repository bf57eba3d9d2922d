-- How alike two artists are by content: the sum of the edges from tracks of one to tracks of the other.
-- An artist's edges to itself are left out afterwards: as a condition here they may become a join of
-- all artists with all, which takes a minute and more.
SELECT s.artist_key AS artist, t.artist_key AS other, sum(e.weight)::BIGINT AS likeness
FROM read_parquet(getvariable('content')) e
JOIN credits s ON s.track_key = e.source
JOIN credits t ON t.track_key = e.target
GROUP BY s.artist_key, t.artist_key
ORDER BY s.artist_key, t.artist_key;
