-- tail_of_list for many histories: the tracks are read for those whose candidates run out
SELECT u.question, t.track_key AS track, t.popularity, t.listener_rank, {same_artist} AS because
FROM (
    SELECT q.question
    FROM questions q
    LEFT JOIN (SELECT c.question, count(*) AS rows FROM candidates c GROUP BY c.question) g
        ON g.question = q.question
    WHERE coalesce(g.rows, 0) < {k}
) u
CROSS JOIN store.tracks t
ANTI JOIN candidates c ON c.track = t.track_key AND c.question = u.question
ANTI JOIN heard h ON h.track = t.track_key AND h.question = u.question AND NOT {let_in}{filler_not_disliked}
LEFT JOIN (
    SELECT h.question, h.artist_key, min(h.track) AS because FROM heard h GROUP BY h.question, h.artist_key
) k
    ON k.artist_key = t.artist_key AND k.question = u.question
WHERE {not_left_out}
