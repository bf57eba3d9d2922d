-- Texts of the catalogue longer than `longest_text` that were cut, by column.
-- warn: nothing
SELECT format('{}: {}…', "column", examples) AS offence, rows
FROM cut
ORDER BY rows DESC, "column";
