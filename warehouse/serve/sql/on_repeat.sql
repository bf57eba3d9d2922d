-- What a listener plays now.
SELECT r.*
FROM on_repeat($user_id, k := $last, days := $days, exclude := $exclude::VARCHAR[]) r
WHERE r.rank > $after
ORDER BY r.rank
