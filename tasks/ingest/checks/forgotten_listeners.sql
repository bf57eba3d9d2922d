-- Rows of forgotten listeners, which are not read. Who they are is not kept.
-- warn: everything
-- of: records
-- only: forgetting
WITH forgotten AS (
    SELECT 'of the history' AS offence, forgotten_plays AS rows FROM counts
    UNION ALL
    SELECT 'of the catalogue' AS offence, forgotten_tracks AS rows FROM counts
)
SELECT offence, rows
FROM forgotten
WHERE rows > 0
ORDER BY rows DESC;
