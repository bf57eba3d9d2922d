-- One row per listener of an experiment: what is fixed at the first exposure, what was before the
-- experiment, and when they came back, subscribed and cancelled.
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
        f."user", count(*) FILTER (f.clicked) AS clicks, sum(f.plays) AS plays, sum(f.skips) AS skips,
        sum(f.seconds) AS seconds
    FROM followed f
    WHERE f.occurred >= $before AND f.occurred < $start
    GROUP BY f."user"
),
did AS (
    SELECT
        s."user",
        count(*) FILTER (p.kind = 'click' AND p.occurred < $start) AS clicks,
        count(*) FILTER (p.kind = 'play' AND p.occurred < $start) AS plays,
        count(*) FILTER (p.kind = 'skip' AND p.occurred < $start) AS skips,
        sum(p.value) FILTER (p.kind = 'play' AND p.occurred < $start) AS seconds,
        min(p.occurred) FILTER (p.kind = 'subscribe' AND p.occurred >= $start) AS subscribed_at,
        min(p.occurred) FILTER (p.kind = 'cancel' AND p.occurred >= $start) AS cancelled_at
    FROM shown s JOIN personal p ON p."user" = s."user"
    WHERE p.occurred < $stop AND (p.occurred >= s.first_at OR p.occurred >= $before AND p.occurred < $start)
    GROUP BY s."user"
),
-- A day is 24 hours from the first exposure. These may lie beyond the experiment's end.
came_back AS (
    SELECT
        s."user",
        bool_or(p.occurred >= s.first_at + INTERVAL 1 DAY AND p.occurred < s.first_at + INTERVAL 2 DAY) AS day_1,
        bool_or(p.occurred >= s.first_at + INTERVAL 7 DAY AND p.occurred < s.first_at + INTERVAL 8 DAY) AS day_7,
        bool_or(p.occurred >= s.first_at + INTERVAL 30 DAY AND p.occurred < s.first_at + INTERVAL 31 DAY) AS day_30
    FROM shown s JOIN personal p ON p."user" = s."user" AND p.kind = 'return'
    GROUP BY s."user"
),
-- The history at the first exposure, as the first run that saw it knew it; later plays do not move
-- a listener to another segment.
placed AS (
    SELECT s.*, coalesce(k.tracks_played, h.tracks_played, 0)::INTEGER AS tracks_played
    FROM shown s
    LEFT JOIN known_histories k ON k."user" = s."user" AND k.experiment = $experiment
    LEFT JOIN histories h ON h."user" = s."user"
)
SELECT
    d."user",
    (d.variant - 1)::BIGINT AS variant,
    d.variant <> d.other_variant AS crossed,
    d.tracks_played,
    (len(list_filter(getvariable('segment_starts'), lambda s: s <= d.tracks_played)) - 1)::BIGINT AS segment,
    d.first_at,
    a.subscribed_at,
    a.cancelled_at,
    coalesce(b.day_1, false) AS returned_1,
    coalesce(b.day_7, false) AS returned_7,
    coalesce(b.day_30, false) AS returned_30,
    d.before_exposures::DOUBLE AS before_exposures,
    (coalesce(f.clicks, 0) + coalesce(a.clicks, 0))::DOUBLE AS before_clicks,
    (coalesce(f.plays, 0) + coalesce(a.plays, 0))::DOUBLE AS before_plays,
    (coalesce(f.skips, 0) + coalesce(a.skips, 0))::DOUBLE AS before_skips,
    (coalesce(f.seconds, 0) + coalesce(a.seconds, 0))::DOUBLE AS before_seconds
FROM placed d
LEFT JOIN followed_by f ON f."user" = d."user"
LEFT JOIN did a ON a."user" = d."user"
LEFT JOIN came_back b ON b."user" = d."user"
ORDER BY d.first_at, d."user";
