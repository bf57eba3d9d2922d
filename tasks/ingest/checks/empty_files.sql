-- Files without rows that were skipped.
-- warn: nothing
SELECT file AS offence, 1 AS rows
FROM empty_files
ORDER BY file;
