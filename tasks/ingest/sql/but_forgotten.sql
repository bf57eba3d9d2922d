-- The listeners without those who were forgotten; their codes stay without gaps.
CREATE OR REPLACE TEMP TABLE listeners AS
SELECT
    * REPLACE ((row_number() OVER (ORDER BY user_code) - 1)::INTEGER AS user_code)
FROM listeners
WHERE NOT EXISTS (FROM forgotten WHERE forgotten.user_id = listeners.user_id);
