-- What a listener loved once and has not played lately.
FROM rediscover($subject, k := $k) ORDER BY rank
