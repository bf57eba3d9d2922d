-- Links to pictures of some tracks.
SELECT t.track_id, t.cover_url AS cover FROM tracks t
WHERE t.track_id IN (SELECT unnest($ids::VARCHAR[])) AND t.cover_url IS NOT NULL
