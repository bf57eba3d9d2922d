-- No list of a listener holds a track that the listener dislikes.
SELECT 'listener ' || r.id AS offender
FROM store.dislikes d JOIN listed r ON r.id = d.id
WHERE list_contains(r.tracks, d.track_key)
