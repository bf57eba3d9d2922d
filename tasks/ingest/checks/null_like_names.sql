-- Titles and creators that read like a missing value and were kept, since bands have such names.
-- warn: suspect_share
-- of: tracks
SELECT format('{}: {}', "column", examples) AS offence, rows
FROM like_nulls
ORDER BY rows DESC, "column";
