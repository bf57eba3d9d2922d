-- No list holds a track twice.
SELECT 'listener ' || l.id AS offender FROM checked_lists l WHERE len(list_distinct(l.tracks)) <> len(l.tracks)
UNION ALL
SELECT 'track ' || s.id FROM checked_similar s WHERE len(list_distinct(s.tracks)) <> len(s.tracks)
