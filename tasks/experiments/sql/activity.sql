-- What the listeners of an experiment did, by days since its start. What follows an exposure
-- belongs to the exposure's day; what follows none, from the listener's first exposure on, to its own.
WITH shown AS (
    SELECT l.listener, day_since($start, x.occurred) AS day, count(*) AS exposures
    FROM exposures x JOIN counted_listeners l ON l."user" = x."user"
    WHERE x.occurred >= $start AND x.occurred < $stop AND x.experiment = $experiment
        AND list_contains($variants, x.variant)
    GROUP BY ALL
),
followed_by AS (
    SELECT
        l.listener, day_since($start, f.occurred) AS day,
        count(*) FILTER (f.clicked) AS clicks, sum(f.plays) AS plays, sum(f.skips) AS skips,
        sum(f.seconds) AS seconds
    FROM followed f JOIN counted_listeners l ON l."user" = f."user"
    WHERE f.occurred >= $start AND f.occurred < $stop AND f.experiment = $experiment
        AND list_contains($variants, f.variant)
    GROUP BY ALL
),
did AS (
    SELECT
        l.listener, day_since($start, p.occurred) AS day,
        count(*) FILTER (p.kind = 'click') AS clicks, count(*) FILTER (p.kind = 'play') AS plays,
        count(*) FILTER (p.kind = 'skip') AS skips, sum(p.value) FILTER (p.kind = 'play') AS seconds
    FROM personal p JOIN counted_listeners l ON l."user" = p."user"
    WHERE p.occurred >= l.first_at AND p.occurred < $stop AND p.kind IN ('click', 'play', 'skip')
    GROUP BY ALL
),
together AS (
    FROM shown
    UNION ALL BY NAME
    FROM followed_by
    UNION ALL BY NAME
    FROM did
)
SELECT
    t.listener, t.day,
    coalesce(sum(t.exposures), 0)::DOUBLE AS exposures,
    coalesce(sum(t.clicks), 0)::DOUBLE AS clicks,
    coalesce(sum(t.plays), 0)::DOUBLE AS plays,
    coalesce(sum(t.skips), 0)::DOUBLE AS skips,
    coalesce(sum(t.seconds), 0)::DOUBLE AS seconds
FROM together t
GROUP BY t.listener, t.day
ORDER BY t.listener, t.day;
