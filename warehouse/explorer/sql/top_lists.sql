-- The first ten of some listeners' lists.
SELECT r.user_id, list(r.track_id) AS tracks
FROM user_recommendations r
WHERE r.user_id IN (SELECT unnest($users::VARCHAR[])) AND r.rank <= 10
GROUP BY r.user_id
