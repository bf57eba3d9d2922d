-- Several listeners' stored lists.
-- Both conditions: the second is known where listeners are read, before any list becomes rows; the first
-- skips what cannot be theirs.
FROM user_recommendations r
WHERE r.user_id IN (SELECT unnest($user_ids::VARCHAR[])) AND list_contains($user_ids::VARCHAR[], r.user_id)
  AND r.rank > $after AND r.rank <= $last
ORDER BY r.user_id, r.rank
