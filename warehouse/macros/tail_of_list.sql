-- only when candidates run out: score 0, same artist first, then by listeners. Nothing is read
-- otherwise: the first condition is known before the first track.
tail AS (
    SELECT
        t.track_key AS track, t.popularity, t.listener_rank,
        CASE WHEN t.artist_key IS NOT NULL THEN f.history[list_position(f.artists, t.artist_key)] END AS because
    FROM (
        SELECT list(c.track) AS listed, count(*) AS rows FROM candidates c
    ) g
    CROSS JOIN (
        SELECT list(h.track ORDER BY h.track) AS history, list(h.artist_key ORDER BY h.track) AS artists FROM heard h
    ) f
    CROSS JOIN store.tracks t
    WHERE g.rows < {k} AND coalesce(NOT list_contains(g.listed, t.track_key), true)
      AND ({let_in} OR coalesce(NOT list_contains(f.history, t.track_key), true)) AND {not_left_out}
)
