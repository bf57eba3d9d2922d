-- tail_of_list for a history of one track; without it there is no list
SELECT
    t.track_key AS track, t.popularity, t.listener_rank,
    CASE WHEN t.artist_key = h.artist_key THEN true END AS because
FROM (SELECT list(c.track) AS listed, count(*) AS rows FROM candidates c) g
CROSS JOIN heard h
CROSS JOIN store.tracks t
WHERE g.rows < {k} AND coalesce(NOT list_contains(g.listed, t.track_key), true)
  AND t.track_key <> h.track AND {not_left_out}
