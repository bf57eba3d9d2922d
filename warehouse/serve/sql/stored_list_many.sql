-- recommend_user with its defaults for several listeners: their stored lists.
-- Both conditions: the second is known where listeners are read, before any list becomes rows; the first
-- skips what cannot be theirs.
SELECT
    r.user_id, r.rank, r.track_id, t.name, t.artist, r.score, r.collaborative_score, r.content_score,
    r.source, r.because_track_id
FROM user_recommendations r JOIN tracks t ON t.track_id = r.track_id
WHERE r.user_id IN (SELECT unnest($user_ids::VARCHAR[])) AND list_contains($user_ids::VARCHAR[], r.user_id)
  AND r.rank > $after AND r.rank <= $last
ORDER BY r.user_id, r.rank
