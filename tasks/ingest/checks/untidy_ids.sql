-- Ids with spaces around them. Ids are compared byte for byte, so ' 7' and '7' are two.
-- warn: untidy_ids
WITH ids AS (
    SELECT 'track' AS kind, track_id AS id FROM tracks
    UNION ALL
    SELECT 'listener' AS kind, user_id AS id FROM users
),
-- White space sorts before '!'; to trim a million ids would take longer than all other checks.
suspects AS (
    SELECT kind, id
    FROM ids
    WHERE id < '!' OR suffix(id, ' ') OR suffix(id, E'\t') OR suffix(id, E'\r') OR suffix(id, E'\n')
)
SELECT format('{} "{}"', kind, id) AS offence, 1 AS rows
FROM suspects
WHERE id <> trim(id, E' \t\r\n')
ORDER BY offence;
