-- Rejected rows by file and reason.
SELECT r.file, r.reason, count(*) AS rows FROM rejected_rows r GROUP BY r.file, r.reason ORDER BY rows DESC, r.file, r.reason
