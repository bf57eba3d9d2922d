-- The lists of every ?-th listener by hash of the id, as ranks of track ids. Through the views, which
-- releases of every layout have. Each id is hashed once, and not in every row of its list.
SELECT r.user_id, r.rank, r.track_id
FROM user_recommendations r
WHERE r.user_id IN (SELECT u.user_id FROM users u WHERE hash(u.user_id) % $every = 0)
