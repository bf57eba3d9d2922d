-- Every record of the history with its number of plays and, for a bad one, the reason.
CREATE OR REPLACE TEMP VIEW plays AS
WITH records AS (
    $records
),
counted AS (
    SELECT track_id, user_id, count_text, $plays AS plays
    FROM records
)
SELECT
    track_id,
    user_id,
    plays,
    $reason AS reason
FROM counted;
