-- The macro answers as the table does, to the last digit, for 1,000 sampled listeners.
WITH sampled AS MATERIALIZED (
    SELECT l.id FROM store.listeners l ORDER BY hash(l.id) LIMIT getvariable('sampled_listeners')
),
by_macro AS MATERIALIZED (
    SELECT s.id, r.rank, r.track_id, r.score, r.collaborative_score, r.content_score, r.source, r.because_track_id
    FROM sampled s, LATERAL (FROM recommend_user(s.id, k := getvariable('user_list'))) r
),
by_table AS MATERIALIZED (
    SELECT u.user_id, u.rank, u.track_id, u.score, u.collaborative_score, u.content_score, u.source, u.because_track_id
    FROM user_recommendations u SEMI JOIN sampled s ON s.id = u.user_id
)
SELECT 'listener ' || d.id || ' rank ' || d.rank AS offender
FROM ((FROM by_macro EXCEPT ALL FROM by_table) UNION ALL (FROM by_table EXCEPT ALL FROM by_macro)) d
