-- A listener's stored list, in any order; no rows for one who is not known.
SELECT
    r.rank, r.track_id, r.score, r.collaborative_score, r.content_score, r.source, r.because_track_id
FROM user_recommendations r
WHERE r.user_id = $user_id
