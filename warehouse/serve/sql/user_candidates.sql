-- Candidates for a listener, filtered.
SELECT c.*
FROM user_candidates($user_id, weight := $weight, exclude := $exclude::VARCHAR[], heard := $heard) c
{filtered}
