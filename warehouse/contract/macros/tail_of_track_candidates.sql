-- tail_of_candidates for a history of one track; without it there is no list
SELECT
    t.track_key AS track, t.popularity, t.listener_rank,
    CASE WHEN t.artist_key = h.artist_key THEN true END AS because
FROM store.fillers t
ANTI JOIN candidates c ON c.track = t.track_key
CROSS JOIN heard h
WHERE t.track_key <> h.track AND {not_left_out}
