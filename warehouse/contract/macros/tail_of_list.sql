-- Only when candidates run out: score 0, same artist first, then by listeners. Nothing is sorted or read
-- otherwise: the first condition is known before the first row.
SELECT
    t.track_key AS track, t.popularity, t.listener_rank,
    CASE WHEN t.artist_key IS NOT NULL THEN f.history[list_position(f.artists, t.artist_key)] END AS because
FROM (
    SELECT
        g.listed, g.listed_artists, list(h.track ORDER BY h.track) AS history,
        list(h.artist_key ORDER BY h.track) AS artists{disliked_list}
    FROM (
        SELECT list(c.track) AS listed, list(c.artist_key) AS listed_artists, count(*) AS rows
        FROM candidates c
    ) g
    LEFT JOIN heard h ON true
    WHERE g.rows < {k}
    GROUP BY g.listed, g.listed_artists
) f
CROSS JOIN store.tracks t
WHERE coalesce(NOT list_contains(f.listed, t.track_key), true)
  AND ({let_in} OR coalesce(NOT list_contains(f.history, t.track_key), true)) AND {not_left_out}{not_in_disliked_list}{cap}
