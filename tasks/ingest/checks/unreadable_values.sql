-- Optional values that could not be read and count as missing, by column.
-- warn: nothing
SELECT format('{}: {}', "column", examples) AS offence, rows
FROM unreadable
ORDER BY rows DESC, "column";
