-- Records set aside, by file.
-- stop: reject_share
-- allow: reject_rows
-- of: records
SELECT format('{}: {}', file, reasons) AS offence, rejected AS rows
FROM input_files
WHERE rejected > 0
ORDER BY rejected DESC, file;
