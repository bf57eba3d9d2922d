-- After the candidates: score 0, same artist first, then by listeners to the last track
SELECT t.track_key AS track, t.popularity, t.listener_rank, {same_artist} AS because
FROM store.fillers t
ANTI JOIN candidates c ON c.track = t.track_key{filler_not_disliked}
LEFT JOIN (SELECT h.artist_key, min(h.track) AS because FROM heard h GROUP BY h.artist_key) k
    ON k.artist_key = t.artist_key
WHERE ({let_in} OR t.track_key NOT IN (SELECT h.track FROM heard h)) AND {not_left_out}
