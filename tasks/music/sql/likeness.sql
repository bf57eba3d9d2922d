-- How alike two artists are by content: the sum of the edges from tracks of one to tracks of the other.
SELECT s.artist_key AS artist, t.artist_key AS other, sum(e.weight)::BIGINT AS likeness
FROM read_parquet(getvariable('content')) e
JOIN credits s ON s.track_key = e.source
JOIN credits t ON t.track_key = e.target
WHERE s.artist_key <> t.artist_key
GROUP BY s.artist_key, t.artist_key
ORDER BY s.artist_key, t.artist_key;
