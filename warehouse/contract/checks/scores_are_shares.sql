-- Every stored part of a score lies between 0 and 1 (all ticks).
SELECT 'listener ' || l.id AS offender
FROM store.listeners l
WHERE list_min(l.collaborative) < 0 OR list_max(l.collaborative) > {ticks}
   OR list_min(l.content) < 0 OR list_max(l.content) > {ticks}
UNION ALL
SELECT 'track ' || t.id
FROM store.similar_lists s JOIN store.tracks t ON t.track_key = s.track_key
WHERE list_min(s.collaborative) < 0 OR list_max(s.collaborative) > {ticks}
   OR list_min(s.content) < 0 OR list_max(s.content) > {ticks}
