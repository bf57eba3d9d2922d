-- Every exposure with, for a bad one, the reason. What is plainly good takes the short way.
WITH fields AS (
    $fields
)
SELECT
    *,
    CASE
        WHEN exposure_text >= '!' AND user_text >= '!' AND track_text >= '!'
            AND exposure_text <> $header AND is_rank(rank) AND is_of_this_age(occurred)
            AND (experiment_text IS NULL OR variant_text >= '!') AND NOT $repeated
            THEN NULL
        WHEN exposure_text = $header THEN 'repeated_header'
        WHEN is_blank(exposure_text) THEN 'exposure_id_missing'
        WHEN is_blank(user_text) THEN 'user_id_missing'
        WHEN is_blank(track_text) THEN 'track_id_missing'
        WHEN NOT is_rank(rank) THEN 'rank_not_positive'
        WHEN NOT is_of_this_age(occurred) THEN 'time_unreadable'
        WHEN NOT is_blank(experiment_text) AND is_blank(variant_text) THEN 'variant_missing'
        WHEN $repeated THEN 'exposure_id_repeated'
    END AS reason
FROM fields
