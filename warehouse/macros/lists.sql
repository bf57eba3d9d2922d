-- What apps call: the one shape of every list, and the whole list with the columns that filters want.

CREATE MACRO recommend_user(user_id, k := 20, weight := NULL, exclude := [], heard := false) AS TABLE
SELECT r.* EXCLUDE (genre, year, tags, listeners, is_cold)
FROM store.ranked_by_weights(
    (SELECT l.history FROM store.listeners l WHERE l.id = user_id::VARCHAR),
    weight, exclude, coalesce(heard, false), coalesce(k, 20)) r;

CREATE MACRO recommend_tracks(track_ids, k := 20, weight := NULL, exclude := []) AS TABLE
SELECT r.* EXCLUDE (genre, year, tags, listeners, is_cold)
FROM store.ranked_by_weights(
    (SELECT list(t.track_key ORDER BY t.track_key) FROM store.tracks t
     WHERE t.id IN (SELECT unnest(track_ids::VARCHAR[]))),
    weight, exclude, false, coalesce(k, 20)) r;

CREATE MACRO similar_to(track_id, k := 10, weight := NULL) AS TABLE
SELECT r.* EXCLUDE (genre, year, tags, listeners, is_cold)
FROM store.ranked_by_similarity(
    (SELECT [t.track_key] FROM store.tracks t WHERE t.id = track_id::VARCHAR),
    weight, [], false, coalesce(k, 10)) r;

CREATE MACRO user_candidates(user_id, weight := NULL, exclude := [], heard := false) AS TABLE
FROM store.ranked_by_weights(
    (SELECT l.history FROM store.listeners l WHERE l.id = user_id::VARCHAR),
    weight, exclude, coalesce(heard, false), 9223372036854775807);

CREATE MACRO track_candidates(track_id, weight := NULL, exclude := []) AS TABLE
FROM store.ranked_by_similarity(
    (SELECT [t.track_key] FROM store.tracks t WHERE t.id = track_id::VARCHAR),
    weight, exclude, false, 9223372036854775807);
