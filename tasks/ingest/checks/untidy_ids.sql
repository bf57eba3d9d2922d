-- Ids with spaces around them. Ids are compared byte for byte, so ' 7' and '7' are two.
-- warn: untidy_ids
WITH ids AS (
    SELECT 'track' AS kind, track_id AS id FROM tracks
    UNION ALL
    SELECT 'listener' AS kind, user_id AS id FROM users
)
SELECT format('{} "{}"', kind, id) AS offence, 1 AS rows
FROM ids
WHERE id <> trim(id, E' \t\r\n')
ORDER BY offence;
