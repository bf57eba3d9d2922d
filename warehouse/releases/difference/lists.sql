-- The lists of every ?-th listener by hash of the id, as ranks of track ids.
SELECT l.id AS user_id, l.rank::INTEGER AS rank, t.id AS track_id
FROM (
    SELECT l.id, generate_subscripts(l.tracks, 1) AS rank, unnest(l.tracks) AS track_key
    FROM store.listeners l
    WHERE hash(l.id) % $every = 0
) l
JOIN store.tracks t ON t.track_key = l.track_key
