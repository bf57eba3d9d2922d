-- Records that were read one by one.
SELECT track_id, user_id, count_text
FROM read_parquet($files)
