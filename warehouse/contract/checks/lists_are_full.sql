-- Every list has k rows while the catalogue has k eligible tracks.
SELECT 'listener ' || l.id AS offender
FROM store.listeners l
LEFT JOIN listed r ON r.id = l.id
LEFT JOIN (SELECT d.id, count(*) AS tracks FROM store.dislikes d GROUP BY d.id) d ON d.id = l.id
WHERE coalesce(len(r.tracks), 0) <> least(
    getvariable('user_list'),
    (SELECT count(*) FROM store.tracks) - len(l.history) - coalesce(d.tracks, 0)
)
UNION ALL
SELECT 'track ' || t.id
FROM store.similar_lists s JOIN store.tracks t ON t.track_key = s.track_key
WHERE len(s.tracks) <> least(getvariable('similar_list'), (SELECT count(*) FROM store.tracks) - 1)
