-- First reading: every listener, and how many records of theirs are bad. Codes follow the bytes.
CREATE OR REPLACE TEMP TABLE listeners AS
WITH by_user AS (
    SELECT
        user_id, count(*) AS records, count(reason) AS rejected, $fractions AS fractions,
        $untimed AS untimed, $next_future AS next_future
    FROM plays
    GROUP BY user_id
)
SELECT
    user_id, hash(user_id) AS user_hash, records, rejected, fractions, untimed, next_future,
    (row_number() OVER (ORDER BY user_id) - 1)::INTEGER AS user_code
FROM by_user;
