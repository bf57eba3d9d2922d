-- The good events as the lake keeps them; what was delivered twice is there once.
COPY (
    SELECT DISTINCT
        CASE WHEN NOT is_blank(event_text) THEN hash(event_text) END AS event,
        CASE WHEN NOT is_blank(exposure_text) THEN hash(exposure_text) END AS exposure,
        CASE WHEN NOT is_blank(user_text) THEN hash(user_text) END AS "user",
        lower(trim(kind_text)) AS kind,
        occurred,
        value::DOUBLE AS value
    FROM ($judged) judged
    WHERE reason IS NULL $known
    ORDER BY ALL
) TO $file (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1);
