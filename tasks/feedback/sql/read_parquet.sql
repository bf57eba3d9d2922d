-- Rows of a Parquet file; row n is record n.
SELECT $record AS record, $raw AS raw, $columns_read
FROM read_parquet($files, binary_as_string = true, file_row_number = true)
