-- The good exposures as the lake keeps them.
COPY (
    SELECT
        hash(exposure_text) AS exposure,
        hash(user_text) AS "user",
        track_text AS track_id,
        rank::INTEGER AS rank,
        CASE WHEN NOT is_blank(experiment_text) THEN experiment_text END AS experiment,
        CASE WHEN NOT is_blank(experiment_text) THEN variant_text END AS variant,
        occurred
    FROM ($judged) judged
    WHERE reason IS NULL $known
) TO $file (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1);
