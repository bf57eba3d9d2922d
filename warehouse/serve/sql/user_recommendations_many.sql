-- Several listeners' stored lists.
FROM user_recommendations r
WHERE r.user_id IN (SELECT unnest($user_ids::VARCHAR[])) AND r.rank > $after AND r.rank <= $last
ORDER BY r.user_id, r.rank
