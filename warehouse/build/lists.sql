-- The precomputed lists, one row per list, as parallel lists of keys and ticks: the views make rows of them
-- (docs/decisions/0003-one-row-per-listener.md).

-- Ids of listeners are not compressed: to find one, thousands would be unpacked. Tracks played, plays and
-- weight are columns, so that `users` is a plain selection.
CREATE TABLE store.listeners (
    id VARCHAR USING COMPRESSION uncompressed, tracks_played INTEGER, plays BIGINT, segment VARCHAR,
    weight DOUBLE, history INTEGER[], history_plays INTEGER[],
    tracks INTEGER[], collaborative SMALLINT[], content SMALLINT[], repeats TINYINT[], source TINYINT[],
    because SMALLINT[]
);

INSERT INTO store.listeners
SELECT
    l.user_id, len(l.history)::INTEGER, l.total_plays, l.segment, s.weight, l.history, l.history_plays,
    l.tracks, l.collaborative, l.content, l.repeats, l.source, l.because
FROM read_parquet(getvariable('listeners')) l
LEFT JOIN store.segments s ON s.segment = l.segment;

CREATE TABLE store.similar_lists AS
SELECT s.* FROM read_parquet(getvariable('similar_lists')) s;
