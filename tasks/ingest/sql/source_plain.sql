-- CSV files of one shape in which a line is a record; columns are named c0, c1, … by position.
read_csv(
    $files,
    auto_detect = false, header = $header, strict_mode = true,
    compression = 'none', delim = $delimiter, quote = $quote, escape = $quote, columns = $columns
)
