-- No list holds a track of the history it was made from.
SELECT 'listener ' || l.id AS offender FROM checked_lists l WHERE list_has_any(l.tracks, l.history)
UNION ALL
SELECT 'track ' || s.id FROM checked_similar s WHERE list_contains(s.tracks, s.track_key)
