-- What a listener loved once and has not played lately.
SELECT r.*
FROM rediscover($user_id, k := $last, days := $days, exclude := $exclude::VARCHAR[]) r
WHERE r.rank > $after
ORDER BY r.rank
