-- Every event with, for a bad one, the reason.
WITH fields AS (
    $fields
)
SELECT
    *,
    CASE
        WHEN kind_text = $header THEN 'repeated_header'
        WHEN is_blank(exposure_text) AND is_blank(user_text) THEN 'event_of_nobody'
        WHEN lower(trim(kind_text)) IN $kinds IS NOT true THEN 'kind_unknown'
        WHEN NOT is_of_this_age(occurred) THEN 'time_unreadable'
        WHEN NOT is_blank(value_text) AND (value IS NULL OR value < 0 OR isinf(value) OR isnan(value))
            THEN 'value_not_a_number'
    END AS reason
FROM fields
