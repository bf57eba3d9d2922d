-- Who has listened to what, and the precomputed lists of tracks, one row per track as parallel lists of keys
-- and ticks. The lists of listeners are in recommendations.sql.

-- Tracks played, plays and weight are columns, so that `users` is a plain selection. The next three are
-- NULL where the data has no times: the day of the newest play, and how many days before it each track of
-- the history was played last and first. Strengths are how much each track counts in the sums of a list;
-- NULL: all count 1.
CREATE TABLE store.listeners (
    id VARCHAR, tracks_played INTEGER, plays BIGINT, segment VARCHAR, weight DOUBLE,
    history INTEGER[], history_plays INTEGER[],
    newest DATE, last_days USMALLINT[], first_days USMALLINT[], strengths UTINYINT[]
);

INSERT INTO store.listeners
SELECT
    l.user_id, len(l.history)::INTEGER, l.total_plays, l.segment, s.weight, l.history, l.history_plays,
    {listen_days}, {strengths}
FROM read_parquet(getvariable('listeners')) l
LEFT JOIN store.segments s ON s.segment = l.segment;

-- The score is the blend of a row's own two parts (docs/scoring.md), marked down by δⁿ for the n-th
-- repetition of its artist. The factors are in the text: planning is most of a lookup, and each table and
-- join adds to it.
CREATE MACRO store.score_ticks(blend, repeats) AS
CASE
    WHEN repeats = 0 OR blend = 0 THEN blend
    ELSE greatest(1, floor(blend * {factors}[repeats + 1] + 0.5e0))
END;

CREATE TABLE store.similar_lists AS
SELECT s.* FROM read_parquet(getvariable('similar_lists')) s;
