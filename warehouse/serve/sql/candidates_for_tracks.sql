-- Candidates for a few liked tracks, filtered.
SELECT c.*
FROM candidates_for_tracks($track_ids::VARCHAR[], weight := $weight, exclude := $exclude::VARCHAR[]) c
{filtered}
