-- The bad ones among the numbered records of one file.
CREATE OR REPLACE TEMP TABLE bad_records AS
WITH $counted
SELECT record, $reason AS reason, raw
FROM counted
WHERE reason IS NOT NULL $known;
