-- Parquet files as they were given.
read_parquet($files, binary_as_string = $strings, file_row_number = true)
