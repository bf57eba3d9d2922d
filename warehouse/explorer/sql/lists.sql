-- The lists of some listeners.
SELECT r.user_id, r.rank, r.track_id
FROM user_recommendations r
WHERE r.user_id IN (SELECT unnest($users::VARCHAR[]))
