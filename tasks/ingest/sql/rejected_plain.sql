-- The bad records of one plain CSV file, in which row n is record n + 1.
WITH fields AS (
    SELECT *
    FROM read_csv(
        $files,
        auto_detect = false, header = true, strict_mode = true,
        delim = $delimiter, quote = '"', escape = '"', columns = $columns
    )
),
records AS (
    SELECT
        row_number() OVER () + 1 AS record,
        $track AS track_id, $user AS user_id, $count AS count_text,
        $raw AS raw
    FROM fields
),
counted AS (
    SELECT *, $plays AS plays FROM records
)
SELECT record, $reason AS reason, raw
FROM counted
WHERE reason IS NOT NULL
ORDER BY record
LIMIT $most;
