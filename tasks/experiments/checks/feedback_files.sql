-- Feedback files that cannot be read; experiments are measured without them.
-- warn: nothing
SELECT reason AS offence, 1 AS rows
FROM broken_files
ORDER BY file;
