-- One row per listener of an experiment: what they were shown and did, within it and before it.
WITH shown AS (
    SELECT
        x."user",
        count(*) FILTER (x.occurred >= $start) AS exposures,
        count(*) FILTER (x.occurred < $start) AS before_exposures,
        min(list_position($variants, x.variant)) FILTER (x.occurred >= $start) AS variant,
        max(list_position($variants, x.variant)) FILTER (x.occurred >= $start) AS other_variant,
        min(x.occurred) FILTER (x.occurred >= $start) AS first_at
    FROM exposures x
    WHERE x.occurred >= $before AND x.occurred < $stop
        AND (x.occurred < $start OR x.experiment = $experiment AND list_contains($variants, x.variant))
    GROUP BY x."user"
    HAVING exposures > 0
),
followed_by AS (
    SELECT
        f."user",
        count(*) FILTER (f.occurred >= $start AND f.clicked) AS clicks,
        sum(f.plays) FILTER (f.occurred >= $start) AS plays,
        sum(f.skips) FILTER (f.occurred >= $start) AS skips,
        sum(f.seconds) FILTER (f.occurred >= $start) AS seconds,
        count(*) FILTER (f.occurred < $start AND f.clicked) AS before_clicks,
        sum(f.plays) FILTER (f.occurred < $start) AS before_plays,
        sum(f.skips) FILTER (f.occurred < $start) AS before_skips,
        sum(f.seconds) FILTER (f.occurred < $start) AS before_seconds
    FROM followed f
    WHERE f.occurred >= $before AND f.occurred < $stop
        AND (f.occurred < $start OR f.experiment = $experiment AND list_contains($variants, f.variant))
    GROUP BY f."user"
),
did AS (
    SELECT
        s."user",
        count(*) FILTER (p.kind = 'click' AND p.occurred >= $start) AS clicks,
        count(*) FILTER (p.kind = 'play' AND p.occurred >= $start) AS plays,
        count(*) FILTER (p.kind = 'skip' AND p.occurred >= $start) AS skips,
        sum(p.value) FILTER (p.kind = 'play' AND p.occurred >= $start) AS seconds,
        count(*) FILTER (p.kind = 'click' AND p.occurred < $start) AS before_clicks,
        count(*) FILTER (p.kind = 'play' AND p.occurred < $start) AS before_plays,
        count(*) FILTER (p.kind = 'skip' AND p.occurred < $start) AS before_skips,
        sum(p.value) FILTER (p.kind = 'play' AND p.occurred < $start) AS before_seconds,
        bool_or(p.kind = 'subscribe' AND p.occurred >= $start) AS subscribed,
        bool_or(p.kind = 'cancel' AND p.occurred >= $start) AS cancelled
    FROM shown s JOIN personal p ON p."user" = s."user"
    WHERE p.occurred < $stop AND (p.occurred >= s.first_at OR p.occurred >= $before AND p.occurred < $start)
    GROUP BY s."user"
),
-- A day is 24 hours from the first exposure; it counts once it has passed for the listener. These
-- may lie beyond the experiment's end.
came_back AS (
    SELECT
        s."user",
        bool_or(p.occurred >= s.first_at + INTERVAL 1 DAY AND p.occurred < s.first_at + INTERVAL 2 DAY) AS day_1,
        bool_or(p.occurred >= s.first_at + INTERVAL 7 DAY AND p.occurred < s.first_at + INTERVAL 8 DAY) AS day_7,
        bool_or(p.occurred >= s.first_at + INTERVAL 30 DAY AND p.occurred < s.first_at + INTERVAL 31 DAY) AS day_30
    FROM shown s JOIN personal p ON p."user" = s."user" AND p.kind = 'return'
    GROUP BY s."user"
),
due AS (
    SELECT
        s.*,
        s.first_at + INTERVAL 2 DAY <= $as_of AS due_1,
        s.first_at + INTERVAL 8 DAY <= $as_of AS due_7,
        s.first_at + INTERVAL 31 DAY <= $as_of AS due_30
    FROM shown s
)
SELECT
    (d.variant - 1)::BIGINT AS variant,
    d.variant <> d.other_variant AS crossed,
    coalesce(g.segment, 0)::BIGINT AS segment,
    d.first_at,
    d.exposures::DOUBLE AS exposures,
    (coalesce(f.clicks, 0) + coalesce(a.clicks, 0))::DOUBLE AS clicks,
    (coalesce(f.plays, 0) + coalesce(a.plays, 0))::DOUBLE AS plays,
    (coalesce(f.skips, 0) + coalesce(a.skips, 0))::DOUBLE AS skips,
    (coalesce(f.seconds, 0) + coalesce(a.seconds, 0))::DOUBLE AS seconds,
    d.due_1::INTEGER::DOUBLE AS due_1,
    d.due_7::INTEGER::DOUBLE AS due_7,
    d.due_30::INTEGER::DOUBLE AS due_30,
    (d.due_1 AND coalesce(b.day_1, false))::INTEGER::DOUBLE AS returned_1,
    (d.due_7 AND coalesce(b.day_7, false))::INTEGER::DOUBLE AS returned_7,
    (d.due_30 AND coalesce(b.day_30, false))::INTEGER::DOUBLE AS returned_30,
    coalesce(a.subscribed, false)::INTEGER::DOUBLE AS subscribed,
    coalesce(a.cancelled, false)::INTEGER::DOUBLE AS cancelled,
    d.before_exposures::DOUBLE AS before_exposures,
    (coalesce(f.before_clicks, 0) + coalesce(a.before_clicks, 0))::DOUBLE AS before_clicks,
    (coalesce(f.before_plays, 0) + coalesce(a.before_plays, 0))::DOUBLE AS before_plays,
    (coalesce(f.before_skips, 0) + coalesce(a.before_skips, 0))::DOUBLE AS before_skips,
    (coalesce(f.before_seconds, 0) + coalesce(a.before_seconds, 0))::DOUBLE AS before_seconds
FROM due d
LEFT JOIN followed_by f ON f."user" = d."user"
LEFT JOIN did a ON a."user" = d."user"
LEFT JOIN came_back b ON b."user" = d."user"
LEFT JOIN segment_of g ON g."user" = d."user"
ORDER BY d.first_at, d."user";
