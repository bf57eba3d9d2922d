-- Records of a CSV file in which a line is a record; columns are named c0, c1, … by position.
SELECT $record AS record, $raw AS raw, $columns_read
FROM read_csv(
    $files,
    auto_detect = false, header = $header, strict_mode = true,
    delim = $delimiter, quote = $quote, escape = $quote, columns = $columns
)
