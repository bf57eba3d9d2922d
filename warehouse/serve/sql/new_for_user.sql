-- New tracks for a listener.
SELECT r.*
FROM new_for_user($user_id, k := $last, weight := $weight, days := $days, exclude := $exclude::VARCHAR[]) r
WHERE r.rank > $after
ORDER BY r.rank
