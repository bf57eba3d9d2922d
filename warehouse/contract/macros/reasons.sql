LEFT JOIN (
    -- a pair has at most one edge of each kind, so the sum of its parts has at most two terms
    SELECT p.target, min_by(p.source, {'part': -p.part, 'source': p.source}) AS because
    FROM (
        SELECT
            e.target, e.source,
            sum(CASE
                WHEN c.popularity = 0 OR a.c_max <= 0 THEN e.r
                WHEN e.r = 0 THEN a.w * (e.q / a.c_max)
                WHEN a.d_max > 0 THEN (1 - a.w) * (e.r / a.d_max)
                ELSE 0
            END) AS part
        FROM edges e
        JOIN candidates c ON c.track = e.target
        CROSS JOIN asked a
        WHERE (c.d > 0 OR (c.c > 0 AND c.popularity > 0))
        GROUP BY e.target, e.source
    ) p
    GROUP BY p.target
) r ON r.target = c.track
