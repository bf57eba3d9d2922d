-- The bad ones among the records of one file that were read one by one.
WITH counted AS (
    SELECT *, $plays AS plays FROM read_parquet($files)
)
SELECT record, $reason AS reason, start, length
FROM counted
WHERE reason IS NOT NULL
ORDER BY record
LIMIT $most;
