-- Tracks by number of listeners.
SELECT x.listeners, count(*) AS tracks, sum(x.plays)::BIGINT AS plays
FROM (
    SELECT
        CASE WHEN t.listeners = 0 THEN '0' WHEN t.listeners <= 5 THEN '1-5'
             WHEN t.listeners <= 50 THEN '6-50' ELSE '>50' END AS listeners,
        t.plays
    FROM tracks t
) x
GROUP BY x.listeners
ORDER BY min(CASE x.listeners WHEN '0' THEN 0 WHEN '1-5' THEN 1 WHEN '6-50' THEN 2 ELSE 3 END)
