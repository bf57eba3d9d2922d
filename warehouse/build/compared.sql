-- Everything that decides the rows of a listener's list, as one number.
CREATE TEMP MACRO digests_of_lists(files) AS TABLE
SELECT
    l.user_id,
    hash(l.segment, l.history, l.tracks, l.collaborative, l.content, l.repeats, l.source, l.because) AS digest
FROM read_parquet(files) l;

-- Listeners whose rows differ from those of an earlier file.
CREATE TEMP TABLE compared AS
SELECT coalesce(n.user_id, e.user_id) AS user_id, n.user_id IS NOT NULL AS is_there
FROM digests_of_lists(getvariable('listeners')) n
FULL JOIN digests_of_lists(getvariable('earlier_listeners')) e ON e.user_id = n.user_id
WHERE n.digest IS DISTINCT FROM e.digest;
