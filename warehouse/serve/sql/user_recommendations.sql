-- A listener's stored list; no rows for one who is not known.
SELECT r.* EXCLUDE (user_id)
FROM user_recommendations r
WHERE r.user_id = $user_id AND r.rank > $after AND r.rank <= $last
ORDER BY r.rank
