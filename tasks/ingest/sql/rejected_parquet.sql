-- The bad rows of one Parquet file; row n is record n.
WITH records AS (
    SELECT
        file_row_number + 1 AS record,
        $track AS track_id, $user AS user_id, $count AS count_text
    FROM read_parquet($files, binary_as_string = true, file_row_number = true)
),
counted AS (
    SELECT *, $plays AS plays FROM records
)
SELECT
    record,
    $reason AS reason,
    concat_ws(',', coalesce(track_id, ''), coalesce(user_id, ''), coalesce(count_text, '')) AS raw
FROM counted
WHERE reason IS NOT NULL
ORDER BY record
LIMIT $most;
