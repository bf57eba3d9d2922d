-- The bad rows of a file.
SELECT record, reason, raw
FROM ($judged) judged
WHERE reason IS NOT NULL $known
