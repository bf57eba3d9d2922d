-- Values that look like lists in columns that are not read as such; write `list = "json"` or "python".
-- warn: suspect_share
-- of: tracks
SELECT format('{}: {}', "column", examples) AS offence, rows
FROM like_lists
ORDER BY rows DESC, "column";
