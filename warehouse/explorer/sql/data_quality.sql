-- Checks of the input, failed ones first.
SELECT d.check_name, d.status, d.severity, d.observed, d.expected, d.details
FROM data_quality d
ORDER BY CASE d.status WHEN 'failed' THEN 0 WHEN 'passed' THEN 1 ELSE 2 END, d.severity, d.check_name
