-- Records that were read one by one; `raw` says where in the file they are.
SELECT $record AS record, $raw AS raw, $columns_read
FROM read_parquet($files)
