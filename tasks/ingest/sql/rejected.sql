-- The bad ones among the numbered records of one file.
CREATE OR REPLACE TEMP TABLE bad_records AS
WITH records AS (
    $records
),
strong AS (
    SELECT *, $strength AS strength
    FROM records
),
counted AS (
    SELECT *, $plays AS plays
    FROM strong
    WHERE $kept
)
SELECT record, $reason AS reason, raw
FROM counted
WHERE reason IS NOT NULL;
