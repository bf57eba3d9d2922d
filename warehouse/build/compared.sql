-- Listeners whose rows differ from those of an earlier file, by a hash of everything that decides them.
CREATE TEMP TABLE compared AS
SELECT coalesce(n.user_id, e.user_id) AS user_id, n.user_id IS NOT NULL AS is_there
FROM (
    SELECT l.user_id, hash(l.segment, l.history, l.tracks, l.collaborative, l.content, l.repeats, l.source, l.because) AS digest
    FROM read_parquet(getvariable('listeners')) l
) n
FULL JOIN (
    SELECT l.user_id, hash(l.segment, l.history, l.tracks, l.collaborative, l.content, l.repeats, l.source, l.because) AS digest
    FROM read_parquet(getvariable('earlier_listeners')) l
) e ON e.user_id = n.user_id
WHERE n.digest IS DISTINCT FROM e.digest;
