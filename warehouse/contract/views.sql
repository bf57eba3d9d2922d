-- What apps see: the relations of the contract over the tables of schema store.

CREATE VIEW tracks AS
SELECT
    t.id AS track_id, t.name, t.artist, t.artists,
    t.* EXCLUDE (id, name, artist, artists, track_key, artist_key, listeners, plays, is_cold, popularity, listener_rank, search_name, search_artist, search_pairs, search_pairs_2),
    t.listeners, t.plays, t.is_cold
FROM store.tracks t;

CREATE VIEW users AS
SELECT l.id AS user_id, l.tracks_played, l.plays, l.segment, l.weight
FROM store.listeners l;

CREATE VIEW listens AS
SELECT l.user_id, t.id AS track_id, l.plays
FROM (
    SELECT l.id AS user_id, unnest(l.history) AS track_key, unnest(l.history_plays) AS plays
    FROM store.listeners l
) l
JOIN store.tracks t ON t.track_key = l.track_key;

CREATE VIEW dislikes AS
SELECT d.id AS user_id, t.id AS track_id
FROM store.dislikes d JOIN store.tracks t ON t.track_key = d.track_key;

-- Rows as they are stored: planning is most of a lookup, and each table, join and expression adds to it.
CREATE VIEW user_recommendations AS
SELECT
    r.user_id, r.rank, r.track_id::VARCHAR AS track_id, r.score / {ticks} AS score,
    r.collaborative / {ticks} AS collaborative_score, r.content / {ticks} AS content_score,
    r.source, r.because_track_id::VARCHAR AS because_track_id
FROM store.recommendations r;

-- A stored list becomes rows; the score is the blend of its own two parts (docs/scoring.md). The weight of
-- one track is in the text.
CREATE VIEW similar_tracks AS
SELECT
    a.id AS track_id, r.rank, t.id AS similar_track_id,
    store.score_ticks(r.blend, r.repeats) / {ticks} AS score,
    r.c_ticks / {ticks} AS collaborative_score, r.d_ticks / {ticks} AS content_score,
    store.source_name(r.source) AS source
FROM (
    SELECT
        l.of_key, l.rank, l.track_key, l.c_ticks, l.d_ticks, l.repeats, l.source,
        floor({weight_of_one} * l.c_ticks + (1 - {weight_of_one}) * l.d_ticks + 0.5e0) AS blend
    FROM (
        SELECT
            l.track_key AS of_key, generate_subscripts(l.tracks, 1)::INTEGER AS rank,
            unnest(l.tracks) AS track_key,
            unnest(l.collaborative)::DOUBLE AS c_ticks, unnest(l.content)::DOUBLE AS d_ticks,
            unnest(l.repeats) AS repeats, unnest(l.source) AS source
        FROM store.similar_lists l
    ) l
) r
JOIN store.tracks a ON a.track_key = r.of_key
JOIN store.tracks t ON t.track_key = r.track_key;

CREATE VIEW popular_tracks AS
SELECT p.scope, p.rank, t.id AS track_id, t.listeners, t.plays
FROM store.popular p JOIN store.tracks t ON t.track_key = p.track_key;

CREATE VIEW segments AS
SELECT
    s.segment, s.min_tracks, s.max_tracks, coalesce(u.users, 0) AS users, s.weight, s.popularity,
    CASE WHEN s.max_tracks = 0 THEN 0 ELSE round(s.weight / (1 + s.popularity), 4) END
        AS neighbours_share,
    CASE
        WHEN s.max_tracks = 0 THEN 1
        ELSE round(s.weight * s.popularity / (1 + s.popularity), 4)
    END AS popularity_share,
    CASE WHEN s.max_tracks = 0 THEN 0 ELSE round(1 - s.weight, 4) END AS content_share
FROM store.segments s
LEFT JOIN (SELECT l.segment, count(*) AS users FROM store.listeners l GROUP BY l.segment) u
    ON u.segment = s.segment
ORDER BY s.position;

CREATE VIEW segment_curve AS FROM store.segment_curve;
CREATE VIEW feature_weights AS FROM store.feature_weights;
CREATE VIEW evaluation AS FROM store.evaluation;
CREATE VIEW experiments AS FROM store.experiments;
CREATE VIEW experiment_results AS FROM store.experiment_results;
CREATE VIEW measured_weights AS FROM store.measured_weights;

CREATE VIEW click_rates AS
SELECT
    r.segment, r.track_id, r.exposures, r.clicks, r.clicks / r.exposures AS click_rate,
    r.corrected_click_rate
FROM store.click_rates r;

CREATE VIEW position_bias AS
SELECT p.rank, p.exposures, p.clicks, p.clicks / p.exposures AS click_rate, p.examination
FROM store.position_bias p;

CREATE VIEW data_quality AS FROM store.data_quality;
CREATE VIEW rejected_rows AS FROM store.rejected_rows;
CREATE VIEW release AS FROM store.release;
