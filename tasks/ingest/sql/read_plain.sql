-- CSV files of one shape in which a line is a record; columns are named c0, c1, … by position.
SELECT $track AS track_id, $user AS user_id, $count AS count_text
FROM read_csv(
    $files,
    auto_detect = false, header = true, strict_mode = true,
    delim = $delimiter, quote = '"', escape = '"', columns = $columns
)
