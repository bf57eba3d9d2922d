-- variety_of_list.sql for many histories
varied AS (
    SELECT c.* REPLACE (c.place - coalesce({turn_digits} * ({turns} - v.turn), 0) AS place)
    FROM candidates c
    LEFT JOIN (
        SELECT
            p.question, unnest(list_select(p.tracks, p.places)) AS track,
            generate_subscripts(p.places, 1) AS turn
        FROM (
            SELECT
                l.question, l.tracks,
                store.varied(
                    l.scores, l.sounds, l.kinds, CASE WHEN store.thousandths(calibrated) > 0 THEN l.shares ELSE [] END,
                    {k}, store.thousandths(diversity), store.thousandths(calibrated)
                ) AS places
            FROM (
                SELECT
                    s.question,
                    list(s.track ORDER BY s.place, s.track) AS tracks,
                    list(-s.place::BIGINT ORDER BY s.place, s.track) AS scores,
                    list({'sound_1': b.sound_1, 'sound_2': b.sound_2} ORDER BY s.place, s.track) AS sounds,
                    list(coalesce(list_position(g.genres, t.genre), 0) ORDER BY s.place, s.track) AS kinds,
                    coalesce(any_value(g.shares), []) AS shares
                FROM (
                    SELECT c.question, c.track, c.place FROM candidates c
                    QUALIFY row_number() OVER (PARTITION BY c.question ORDER BY c.place, c.track) <= {variety_pool}
                ) s
                JOIN store.tracks t ON t.track_key = s.track
                JOIN store.signatures b ON b.track_key = s.track
                LEFT JOIN (
                    SELECT
                        y.question, list(y.genre ORDER BY y.genre) AS genres, list(y.share ORDER BY y.genre) AS shares
                    FROM (
                        SELECT h.question, t.genre, count(*) / sum(count(*)) OVER (PARTITION BY h.question) AS share
                        FROM heard h JOIN store.tracks t ON t.track_key = h.track
                        WHERE t.genre IS NOT NULL
                        GROUP BY h.question, t.genre
                    ) y
                    GROUP BY y.question
                ) g ON g.question = s.question
                GROUP BY s.question
            ) l
        ) p
    ) v ON v.track = c.track AND v.question = c.question
)
