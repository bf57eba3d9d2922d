-- A Parquet file as it was given; ids are strings whatever their type there.
SELECT $track AS track_id, $user AS user_id, $count AS count_text
FROM read_parquet($files, binary_as_string = true)
