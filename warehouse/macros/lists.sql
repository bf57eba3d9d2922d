-- What apps call: ranked lists with names and reasons.

-- The one shape of every list.
CREATE MACRO store.listed(history_keys, share, left_out, with_heard, track_to_track, rows_wanted) AS TABLE
SELECT
    r.rank::INTEGER AS rank, t.id AS track_id, t.name, t.artist,
    r.score, r.collaborative_score, r.content_score, r.source, b.id AS because_track_id
FROM store.ranked(history_keys, share, left_out, with_heard, track_to_track, rows_wanted) r
JOIN store.tracks t ON t.track_key = r.track
LEFT JOIN store.tracks b ON b.track_key = r.because
ORDER BY r.rank;

-- The same to the last eligible track, with the columns that filters want.
CREATE MACRO store.listed_with_details(history_keys, share, left_out, with_heard, track_to_track) AS TABLE
SELECT
    r.rank::INTEGER AS rank, t.id AS track_id, t.name, t.artist,
    r.score, r.collaborative_score, r.content_score, r.source, b.id AS because_track_id,
    t.genre, t.year, t.tags, t.listeners, t.is_cold
FROM store.ranked(history_keys, share, left_out, with_heard, track_to_track, 9223372036854775807) r
JOIN store.tracks t ON t.track_key = r.track
LEFT JOIN store.tracks b ON b.track_key = r.because
ORDER BY r.rank;

CREATE MACRO recommend_user(user_id, k := 20, weight := NULL, exclude := [], heard := false) AS TABLE
FROM store.listed(
    (SELECT l.history FROM store.listeners l WHERE l.id = user_id::VARCHAR),
    weight, exclude, coalesce(heard, false), false, coalesce(k, 20));

CREATE MACRO recommend_tracks(track_ids, k := 20, weight := NULL, exclude := []) AS TABLE
FROM store.listed(
    (SELECT list(t.track_key ORDER BY t.track_key) FROM store.tracks t
     WHERE t.id IN (SELECT unnest(track_ids::VARCHAR[]))),
    weight, exclude, false, false, coalesce(k, 20));

CREATE MACRO similar_to(track_id, k := 10, weight := NULL) AS TABLE
FROM store.listed(
    (SELECT [t.track_key] FROM store.tracks t WHERE t.id = track_id::VARCHAR),
    weight, [], false, true, coalesce(k, 10));

CREATE MACRO user_candidates(user_id, weight := NULL, exclude := [], heard := false) AS TABLE
FROM store.listed_with_details(
    (SELECT l.history FROM store.listeners l WHERE l.id = user_id::VARCHAR),
    weight, exclude, coalesce(heard, false), false);

CREATE MACRO track_candidates(track_id, weight := NULL, exclude := []) AS TABLE
FROM store.listed_with_details(
    (SELECT [t.track_key] FROM store.tracks t WHERE t.id = track_id::VARCHAR),
    weight, exclude, false, true);
