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

CREATE VIEW user_recommendations AS FROM store.recommendations;
CREATE VIEW similar_tracks AS FROM store.similar_tracks;

CREATE VIEW popular_tracks AS
SELECT p.scope, p.rank, t.id AS track_id, t.listeners, t.plays
FROM store.popular p JOIN store.tracks t ON t.track_key = p.track_key;

CREATE VIEW segments AS
SELECT
    s.segment, s.min_tracks, s.max_tracks, coalesce(u.users, 0) AS users, s.weight, s.popularity
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
