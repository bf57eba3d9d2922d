-- Every stored score lies between 0 and 1.
SELECT 'listener ' || r.user_id AS offender
FROM store.recommendations r
WHERE NOT coalesce(least(r.score, r.collaborative_score, r.content_score) >= 0
    AND greatest(r.score, r.collaborative_score, r.content_score) <= 1, false)
UNION ALL
SELECT 'track ' || s.track_id
FROM store.similar_tracks s
WHERE NOT coalesce(least(s.score, s.collaborative_score, s.content_score) >= 0
    AND greatest(s.score, s.collaborative_score, s.content_score) <= 1, false)
