-- No list holds a track twice.
SELECT 'listener ' || l.id AS offender FROM listed l WHERE len(list_distinct(l.tracks)) <> len(l.tracks)
UNION ALL
SELECT 'track ' || t.id
FROM store.similar_lists s JOIN store.tracks t ON t.track_key = s.track_key
WHERE len(list_distinct(s.tracks)) <> len(s.tracks)
