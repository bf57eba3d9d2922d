-- Candidates for a track, filtered.
SELECT c.*
FROM track_candidates($track_id, weight := $weight, exclude := $exclude::VARCHAR[]) c
{filtered}
