-- The first rejected rows.
SELECT r.file, r.record, r.reason, r.raw FROM rejected_rows r ORDER BY r.file, r.record LIMIT $most
