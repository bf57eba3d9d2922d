-- No list holds a track of the history it was made from.
SELECT 'listener ' || l.id AS offender
FROM store.listeners l JOIN listed r ON r.id = l.id
WHERE list_has_any(r.tracks, l.history)
UNION ALL
SELECT 'track ' || t.id
FROM store.similar_lists s JOIN store.tracks t ON t.track_key = s.track_key
WHERE list_contains(s.tracks, s.track_key)
