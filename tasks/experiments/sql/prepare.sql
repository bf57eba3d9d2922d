-- Tables for the sums by listener and by track.

CREATE TEMP MACRO day_since(start, moment) AS date_diff('microsecond', start, moment) // 86400000000;

-- Outcomes of each exposure. Repeated clicks count once.
CREATE TEMP TABLE outcomes AS
SELECT
    e.exposure,
    bool_or(e.kind = 'click') AS clicked,
    count(*) FILTER (e.kind = 'play')::INTEGER AS plays,
    count(*) FILTER (e.kind = 'skip')::INTEGER AS skips,
    coalesce(sum(e.value) FILTER (e.kind = 'play'), 0) AS seconds,
    max(e.occurred) FILTER (e.kind = 'click') AS clicked_at,
    max(e.occurred) FILTER (e.kind <> 'click') AS played_at
FROM events e
WHERE e.exposure IS NOT NULL AND e.kind IN ('click', 'play', 'skip')
GROUP BY e.exposure;

-- Exposures with an outcome. They are few, so the large table is joined only once.
CREATE TEMP TABLE followed AS
SELECT
    x."user", x.track_id, x.rank, x.experiment, x.variant, x.occurred,
    o.clicked, o.plays, o.skips, o.seconds,
    -- Seconds until the outcome, unless a clock is wrong.
    CASE WHEN o.clicked_at BETWEEN x.occurred AND x.occurred + INTERVAL 60 DAY
        THEN date_diff('second', x.occurred, o.clicked_at)::INTEGER END AS clicked_after,
    CASE WHEN o.played_at BETWEEN x.occurred AND x.occurred + INTERVAL 60 DAY
        THEN date_diff('second', x.occurred, o.played_at)::INTEGER END AS played_after
FROM exposures x JOIN outcomes o ON o.exposure = x.exposure;

-- Within how many seconds 99 of 100 outcomes follow.
CREATE TEMP TABLE delays AS
SELECT
    coalesce(quantile_disc(f.clicked_after, 0.99), 0) AS clicks,
    coalesce(quantile_disc(f.played_after, 0.99), 0) AS plays
FROM followed f;

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

-- How much history listeners have now. Those without any are in the first segment.
CREATE TEMP TABLE histories AS
SELECT hash(u.user_id) AS "user", u.tracks_played FROM read_parquet(getvariable('users')) u;

-- The segment of that history. Experiments use the one at the first exposure instead.
CREATE TEMP TABLE segment_of AS
SELECT
    h."user",
    (len(list_filter(getvariable('segment_starts'), lambda s: s <= h.tracks_played)) - 1)::UTINYINT
        AS segment
FROM histories h;
