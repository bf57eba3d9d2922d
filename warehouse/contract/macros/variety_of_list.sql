-- The candidates with the first ones in another order: the turn is in the digits of `place` above those of the
-- score. A table expression that nothing reads is not planned (DuckDB 1.4 plans it), so this costs nothing
-- unless a caller asks for it.
varied AS (
    SELECT c.* REPLACE (c.place - coalesce({turn_digits} * ({turns} - v.turn), 0) AS place)
    FROM candidates c
    LEFT JOIN (
        SELECT unnest(list_select(p.tracks, p.places)) AS track, generate_subscripts(p.places, 1) AS turn
        FROM (
            SELECT
                l.tracks,
                store.varied(
                    l.scores, l.sounds, l.kinds, CASE WHEN store.thousandths(calibrated) > 0 THEN l.shares ELSE [] END,
                    {k}, store.thousandths(diversity), store.thousandths(calibrated)
                ) AS places
            FROM (
                SELECT
                    list(s.track ORDER BY s.place, s.track) AS tracks,
                    list(-s.place::BIGINT ORDER BY s.place, s.track) AS scores,
                    list({'sound_1': b.sound_1, 'sound_2': b.sound_2} ORDER BY s.place, s.track) AS sounds,
                    list(coalesce(list_position(g.genres, t.genre), 0) ORDER BY s.place, s.track) AS kinds,
                    any_value(g.shares) AS shares
                FROM (
                    SELECT c.track, c.place FROM candidates c ORDER BY c.place, c.track LIMIT {variety_pool}
                ) s
                JOIN store.tracks t ON t.track_key = s.track
                JOIN store.signatures b ON b.track_key = s.track
                CROSS JOIN (
                    SELECT
                        coalesce(list(y.genre ORDER BY y.genre), []) AS genres,
                        coalesce(list(y.share ORDER BY y.genre), []) AS shares
                    FROM (
                        SELECT t.genre, count(*) / sum(count(*)) OVER () AS share
                        FROM heard h JOIN store.tracks t ON t.track_key = h.track
                        WHERE t.genre IS NOT NULL
                        GROUP BY t.genre
                    ) y
                ) g
            ) l
        ) p
    ) v ON v.track = c.track
)
