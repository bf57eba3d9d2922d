-- Records that `where` or a strength below `min` left out.
-- warn: everything
-- of: records
WITH filtered AS (
    SELECT 'of the history' AS offence, filtered_plays AS rows FROM counts
    UNION ALL
    SELECT 'of the catalogue' AS offence, filtered_tracks AS rows FROM counts
)
SELECT offence, rows
FROM filtered
WHERE rows > 0
ORDER BY rows DESC;
