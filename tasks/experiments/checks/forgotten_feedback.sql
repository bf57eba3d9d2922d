-- Rows of feedback of forgotten listeners, which are not read. Who they are is not kept.
-- warn: everything
-- of: records
-- only: forgetting
SELECT 'rows' AS offence, f.rows AS rows
FROM forgotten_feedback f
WHERE f.rows > 0;
