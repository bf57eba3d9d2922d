-- Every stored part of a score lies between 0 and 1 (all ticks).
SELECT 'listener ' || r.user_id AS offender
FROM store.recommendations r
WHERE least(r.score, r.collaborative, r.content) < 0
   OR greatest(r.score, r.collaborative, r.content) > {ticks}
UNION ALL
SELECT 'track ' || t.id
FROM store.similar_lists s JOIN store.tracks t ON t.track_key = s.track_key
WHERE list_min(s.collaborative) < 0 OR list_max(s.collaborative) > {ticks}
   OR list_min(s.content) < 0 OR list_max(s.content) > {ticks}
