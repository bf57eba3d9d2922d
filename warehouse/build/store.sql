-- The tables behind the views and macros: one statement per table. Track and listener ids are called
-- `id` where a macro reads them, because a macro parameter named like a column would replace it.

-- The most played tracks, candidates of every list with a prior or without a history.
CREATE TABLE store.prior_candidates AS
SELECT t.track_key
FROM store.tracks t
WHERE t.listener_rank < getvariable('popular_candidates') AND NOT t.is_cold
ORDER BY t.track_key;

-- Every track by its listeners: what a list of candidates goes on with. It is in that order already, which
-- makes sorting it cheap for a query.
CREATE TABLE store.fillers AS
SELECT t.id, t.track_key, t.artist_key, t.popularity, t.listener_rank
FROM store.tracks t
ORDER BY t.listener_rank;

-- Most played tracks overall and by genre and tag: by the listeners of today, also in a refresh, whose
-- listener_rank is that of its base.
CREATE TABLE store.popular AS
WITH scoped AS (
    SELECT 'all' AS scope, t.track_key, t.listeners FROM store.tracks t WHERE NOT t.is_cold
    UNION
    SELECT t.genre AS scope, t.track_key, t.listeners
    FROM store.tracks t WHERE NOT t.is_cold AND t.genre IS NOT NULL AND t.genre <> 'all'
    UNION
    SELECT g.tag AS scope, g.track_key, g.listeners
    FROM (SELECT unnest(t.tags) AS tag, t.track_key, t.listeners FROM store.tracks t WHERE NOT t.is_cold) g
    WHERE g.tag <> 'all'
)
SELECT
    s.scope,
    row_number() OVER (PARTITION BY s.scope ORDER BY s.listeners DESC, s.track_key)::INTEGER AS rank,
    s.track_key
FROM scoped s
QUALIFY rank <= CASE WHEN s.scope = 'all' THEN getvariable('popular_all') ELSE getvariable('popular_scope') END
ORDER BY s.scope = 'all' DESC, s.scope, rank;

-- Tracks that win new listeners beyond their usual level: how many they were in the last `days` days, and
-- how many are usual. Empty without times.
CREATE TABLE store.trending (
    track_key INTEGER, score DOUBLE, new_listeners INTEGER, usual_listeners DOUBLE, days INTEGER
);

-- Tracks that came out or were first played within the last year of the data: the day, and how many days
-- before the data's last day that was. Empty without times.
CREATE TABLE store.new_tracks (id VARCHAR, day DATE, age SMALLINT);

-- What is not recommended to whom. The macros look at it only in releases where it has rows.
CREATE TABLE store.dislikes AS
SELECT u.user_id AS id, d.track_key
FROM read_parquet(getvariable('dislikes')) d
JOIN read_parquet(getvariable('users')) u ON u.user_key = d.user_key
ORDER BY d.user_key, d.track_key;

CREATE TABLE store.segments (
    position INTEGER, segment VARCHAR, min_tracks INTEGER, max_tracks INTEGER,
    weight DOUBLE, popularity DOUBLE
);

CREATE TABLE store.constants (gamma DOUBLE, artist_factors DOUBLE[]);

CREATE TABLE store.segment_curve (
    segment VARCHAR, weight DOUBLE, popularity DOUBLE, metric VARCHAR,
    value DOUBLE, ci_low DOUBLE, ci_high DOUBLE
);

CREATE TABLE store.evaluation (
    model VARCHAR, segment VARCHAR, metric VARCHAR, k INTEGER,
    value DOUBLE, ci_low DOUBLE, ci_high DOUBLE, users BIGINT
);

CREATE TABLE store.feature_weights AS
SELECT f.feature, f.weight FROM read_parquet(getvariable('feature_weights')) f ORDER BY f.weight DESC, f.feature;

CREATE TABLE store.data_quality AS
SELECT q.* FROM read_parquet(getvariable('data_quality')) q;

CREATE TABLE store.rejected_rows AS
SELECT r.* FROM read_parquet(getvariable('rejected_rows')) r ORDER BY r.file, r.record;

CREATE TABLE store.release (
    release_id VARCHAR, schema_version INTEGER, created_at TIMESTAMP, code_version VARCHAR,
    dataset VARCHAR, inputs MAP(VARCHAR, VARCHAR), parameters VARCHAR,
    row_counts MAP(VARCHAR, BIGINT), stage_seconds MAP(VARCHAR, DOUBLE), peak_memory_bytes BIGINT,
    gamma DOUBLE, artist_factor DOUBLE,
    held_out_listeners BIGINT, measured_model VARCHAR, published_model VARCHAR, refitted BOOLEAN,
    gate VARCHAR, forced_by VARCHAR, forced_because VARCHAR, base_release_id VARCHAR,
    half_life_days INTEGER
);

-- What is being tried, and for each experiment where in [0, 1) the variants' parts end.
CREATE TABLE store.experiments (
    experiment VARCHAR, variant VARCHAR, is_control BOOLEAN, share DOUBLE, weight DOUBLE,
    preset VARCHAR, model VARCHAR, release_id VARCHAR, starts_at TIMESTAMP, ends_at TIMESTAMP
);

CREATE TABLE store.assignments (
    name VARCHAR, upper_ends DOUBLE[], variants VARCHAR[], weights DOUBLE[]
);

CREATE TABLE store.experiment_results (
    experiment VARCHAR, variant VARCHAR, segment VARCHAR, metric VARCHAR, users BIGINT,
    exposures BIGINT, value DOUBLE, lift DOUBLE, ci_low DOUBLE, ci_high DOUBLE, p_value DOUBLE,
    information DOUBLE, capped BIGINT, as_of TIMESTAMP, complete_until TIMESTAMP, note VARCHAR
);

CREATE TABLE store.measured_weights (
    segment VARCHAR, experiment VARCHAR, offline_weight DOUBLE, measured_weight DOUBLE,
    metric VARCHAR, lift DOUBLE, ci_low DOUBLE, ci_high DOUBLE, note VARCHAR
);

CREATE TABLE store.click_rates (
    segment VARCHAR, track_id VARCHAR, exposures BIGINT, clicks BIGINT, corrected_click_rate DOUBLE
);

CREATE TABLE store.position_bias (
    rank INTEGER, exposures BIGINT, clicks BIGINT, examination DOUBLE
);
