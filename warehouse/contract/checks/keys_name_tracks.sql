-- Keys are the positions of tracks: dense, unique, in byte order of the ids, and nothing points beyond.
SELECT 'track ' || t.id AS offender
FROM (SELECT t.id, t.track_key, row_number() OVER (ORDER BY t.id) - 1 AS position FROM store.tracks t) t
WHERE t.track_key <> t.position
UNION ALL
SELECT 'edges' FROM (SELECT min(least(e.source, e.target)) AS low, max(greatest(e.source, e.target)) AS high FROM store.edges e) e
WHERE e.low < 0 OR e.high >= (SELECT count(*) FROM store.tracks)
UNION ALL
SELECT 'similarity' FROM (SELECT min(least(e.source, e.target)) AS low, max(greatest(e.source, e.target)) AS high FROM store.similarity e) e
WHERE e.low < 0 OR e.high >= (SELECT count(*) FROM store.tracks)
