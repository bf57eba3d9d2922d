-- The bad rows of a file, in its order.
SELECT record, reason, raw
FROM ($judged)
WHERE reason IS NOT NULL
ORDER BY record
LIMIT $most;
