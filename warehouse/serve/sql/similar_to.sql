-- Neighbours of a track.
SELECT r.*
FROM similar_to($track_id, k := $last, weight := $weight, exclude := $exclude::VARCHAR[]) r
WHERE r.rank > $after
ORDER BY r.rank
