-- The lists of a built release as the checks read them: one row per listener and track, as track keys.
CREATE TEMP TABLE checked_lists AS
SELECT
    l.id, l.history, coalesce(r.tracks, []) AS tracks, coalesce(r.is_numbered, true) AS is_numbered
FROM store.listeners l
LEFT JOIN (
    SELECT
        r.user_id, list(t.track_key) AS tracks,
        min(r.rank) = 1 AND max(r.rank) = count(*) AND sum(r.rank) = count(*) * (count(*) + 1) // 2 AS is_numbered
    FROM store.recommendations r
    LEFT JOIN store.tracks t ON t.id = r.track_id
    GROUP BY r.user_id
) r ON r.user_id = l.id;

CREATE TEMP TABLE checked_similar AS
SELECT
    t.id, t.track_key, coalesce(s.tracks, []) AS tracks, coalesce(s.is_numbered, true) AS is_numbered
FROM store.tracks t
LEFT JOIN (
    SELECT
        s.track_id, list(n.track_key) AS tracks,
        min(s.rank) = 1 AND max(s.rank) = count(*) AND sum(s.rank) = count(*) * (count(*) + 1) // 2 AS is_numbered
    FROM store.similar_tracks s
    LEFT JOIN store.tracks n ON n.id = s.similar_track_id
    GROUP BY s.track_id
) s ON s.track_id = t.id;
