-- What the history says of its tracks: each distinct description, those given most often first.
COPY (
    WITH records AS (
        $records
    ),
    described AS (
        SELECT $columns, count(*) AS times
        FROM records
        GROUP BY ALL
    )
    SELECT row_number() OVER (ORDER BY $id, times DESC, $columns) AS "#record", $columns
    FROM described
    WHERE $id IS NOT NULL
    ORDER BY "#record"
) TO $target (FORMAT parquet, COMPRESSION lz4);
