-- The lists of every ?-th listener by hash of the id, as ranks of track ids. Through the views, which
-- releases of every layout have.
SELECT r.user_id, r.rank, r.track_id
FROM user_recommendations r
WHERE hash(r.user_id) % $every = 0
