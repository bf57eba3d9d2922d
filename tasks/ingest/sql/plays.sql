-- Every record of the history that is not left out, with its number of plays and, for a bad one,
-- the reason.
CREATE OR REPLACE TEMP VIEW plays AS
WITH records AS (
    $records
),
strong AS (
    SELECT *, $strength AS strength
    FROM records
),
counted AS (
    SELECT *, $plays AS plays
    FROM strong
    WHERE $kept
)
SELECT
    track_id,
    user_id,
    plays,
    $reason AS reason
FROM counted;
