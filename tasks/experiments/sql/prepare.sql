-- Tables for the sums by listener and by track.

-- Time of the latest exposure or event.
CREATE TEMP TABLE as_of AS
SELECT greatest(max(x.occurred), (SELECT max(e.occurred) FROM events e)) AS occurred FROM exposures x;

-- Outcomes of each exposure. Repeated clicks count once.
CREATE TEMP TABLE outcomes AS
SELECT
    e.exposure,
    bool_or(e.kind = 'click') AS clicked,
    count(*) FILTER (e.kind = 'play')::INTEGER AS plays,
    count(*) FILTER (e.kind = 'skip')::INTEGER AS skips,
    coalesce(sum(e.value) FILTER (e.kind = 'play'), 0) AS seconds
FROM events e
WHERE e.exposure IS NOT NULL AND e.kind IN ('click', 'play', 'skip')
GROUP BY e.exposure;

-- Exposures with an outcome. They are few, so the large table is joined only once.
CREATE TEMP TABLE followed AS
SELECT
    x."user", x.track_id, x.rank, x.experiment, x.variant, x.occurred,
    o.clicked, o.plays, o.skips, o.seconds
FROM exposures x JOIN outcomes o ON o.exposure = x.exposure;

CREATE TEMP TABLE unmatched AS
SELECT (SELECT count(*) FROM outcomes) - count(*) AS events FROM followed;

DROP TABLE outcomes;

-- Events of a listener rather than of an exposure: returns, subscriptions, cancellations, and all events
-- without an exposure. Where an event names no listener, its exposure's listener is used.
CREATE TEMP TABLE personal AS
WITH own AS (
    SELECT e.exposure, e."user", e.kind, e.occurred, e.value
    FROM events e
    WHERE e.exposure IS NULL OR e.kind IN ('return', 'subscribe', 'cancel')
)
SELECT o."user", o.kind, o.occurred, o.value FROM own o WHERE o."user" IS NOT NULL
UNION ALL
SELECT x."user", o.kind, o.occurred, o.value
FROM exposures x JOIN own o ON o.exposure = x.exposure AND o."user" IS NULL;

-- Listeners without a history are in the first segment, that of the empty history.
CREATE TEMP TABLE segment_of AS
SELECT
    hash(u.user_id) AS "user",
    (len(list_filter(getvariable('segment_starts'), lambda s: s <= u.tracks_played)) - 1)::UTINYINT
        AS segment
FROM read_parquet(getvariable('users')) u;
