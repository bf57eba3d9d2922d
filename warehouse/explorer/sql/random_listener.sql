-- A random listener of a segment.
SELECT x.user_id FROM (SELECT u.user_id FROM users u WHERE u.segment = $segment) x USING SAMPLE 1 ROWS
