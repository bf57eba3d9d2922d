-- Tracks of the catalogue in the order of their ids; unknown ids are left out.
SELECT t.*
FROM tracks t
WHERE t.track_id IN (SELECT unnest($track_ids::VARCHAR[]))
ORDER BY list_position($track_ids::VARCHAR[], t.track_id)
