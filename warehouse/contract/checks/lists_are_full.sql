-- Every list has k rows, ranked from 1, while the catalogue has k eligible tracks.
SELECT 'listener ' || l.id AS offender
FROM checked_lists l
WHERE len(l.tracks) <> least(getvariable('user_list'), (SELECT count(*) FROM store.tracks) - len(l.history))
   OR NOT l.is_numbered
UNION ALL
SELECT 'track ' || s.id
FROM checked_similar s
WHERE len(s.tracks) <> least(getvariable('similar_list'), (SELECT count(*) FROM store.tracks) - 1)
   OR NOT s.is_numbered
