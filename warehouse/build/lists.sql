-- The tables that are looked up by an id: sorted by it, ids written out, so that a lookup is one scan
-- without a join (docs/decisions/0020-flat-rows.md). The rows of the lake's Parquet are in that order
-- already; the joins keep it because each probes with them.

-- One row per listener: history and plays as parallel lists, which the macros start from.
CREATE TABLE store.listeners (
    id VARCHAR USING COMPRESSION uncompressed, tracks_played INTEGER, plays BIGINT, segment VARCHAR,
    weight DOUBLE, history INTEGER[], history_plays INTEGER[]
);

INSERT INTO store.listeners
SELECT
    l.user_id, len(l.history)::INTEGER, l.total_plays, l.segment, s.weight, l.history, l.history_plays
FROM read_parquet(getvariable('listeners')) l
LEFT JOIN store.segments s ON s.segment = l.segment;

-- The score of a row is the blend of its own two parts (docs/scoring.md), in ticks.
CREATE TEMP MACRO artist_marked(blend, repeats, factors) AS
CASE
    WHEN repeats = 0 OR blend = 0 THEN blend
    ELSE greatest(1, floor(blend * factors[repeats + 1] + 0.5e0))
END;

CREATE TABLE store.recommendations AS
SELECT
    r.user_id, r.rank, t.id AS track_id,
    artist_marked(r.blend, r.repeats, r.factors) / {ticks} AS score,
    r.c_ticks / {ticks} AS collaborative_score, r.d_ticks / {ticks} AS content_score,
    store.source_name(r.source) AS source, b.id AS because_track_id
FROM (
    SELECT
        l.*, floor(l.weight * l.c_ticks + (1 - l.weight) * l.d_ticks + 0.5e0) AS blend
    FROM (
        SELECT
            l.user_id, s.weight, (SELECT c.artist_factors FROM store.constants c) AS factors,
            generate_subscripts(l.tracks, 1)::INTEGER AS rank, unnest(l.tracks) AS track_key,
            unnest(l.collaborative)::DOUBLE AS c_ticks, unnest(l.content)::DOUBLE AS d_ticks,
            unnest(l.repeats) AS repeats, unnest(l.source) AS source,
            l.history, unnest(l.because) AS because
        FROM read_parquet(getvariable('listeners')) l
        LEFT JOIN store.segments s ON s.segment = l.segment
    ) l
) r
LEFT JOIN store.tracks t ON t.track_key = r.track_key
LEFT JOIN store.tracks b ON b.track_key = CASE WHEN r.because >= 0 THEN r.history[r.because + 1] END;

CREATE TABLE store.similar_tracks AS
SELECT
    a.id AS track_id, r.rank, t.id AS similar_track_id,
    artist_marked(r.blend, r.repeats, r.factors) / {ticks} AS score,
    r.c_ticks / {ticks} AS collaborative_score, r.d_ticks / {ticks} AS content_score,
    store.source_name(r.source) AS source
FROM (
    SELECT
        l.*, floor(l.weight * l.c_ticks + (1 - l.weight) * l.d_ticks + 0.5e0) AS blend
    FROM (
        SELECT
            l.track_key AS of_key,
            (SELECT s.weight FROM store.segments s WHERE s.min_tracks <= 1 ORDER BY s.min_tracks DESC LIMIT 1)
                AS weight,
            (SELECT c.artist_factors FROM store.constants c) AS factors,
            generate_subscripts(l.tracks, 1)::INTEGER AS rank, unnest(l.tracks) AS track_key,
            unnest(l.collaborative)::DOUBLE AS c_ticks, unnest(l.content)::DOUBLE AS d_ticks,
            unnest(l.repeats) AS repeats, unnest(l.source) AS source
        FROM read_parquet(getvariable('similar_lists')) l
    ) l
) r
LEFT JOIN store.tracks a ON a.track_key = r.of_key
LEFT JOIN store.tracks t ON t.track_key = r.track_key;

DROP MACRO artist_marked;
