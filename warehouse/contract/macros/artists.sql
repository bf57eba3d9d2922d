-- Macros that take an artist's name. What they return was worked out when the release was built
-- (tasks/music), so that a call reads two rows' lists and blends them.

CREATE MACRO artist_tracks(artist, k := 20, weight := NULL, exclude := []) AS TABLE
SELECT * FROM (
SELECT
    row_number() OVER (ORDER BY x.blend DESC, t.listeners DESC, x.track)::INTEGER AS rank,
    t.id AS track_id, t.name, t.artist, x.blend / {ticks} AS score,
    x.c_ticks / {ticks} AS collaborative_score, x.d_ticks / {ticks} AS content_score,
    CASE
        WHEN t.listeners > 0 THEN CASE WHEN x.d_ticks > 0 THEN 'hybrid' ELSE 'collaborative' END
        WHEN x.d_ticks > 0 THEN 'content'
        ELSE 'catalogue'
    END AS source,
    b.id AS because_track_id
FROM (
    SELECT
        y.track, y.c_ticks, y.d_ticks, y.because,
        floor(y.w * y.c_ticks + (1 - y.w) * y.d_ticks + 0.5e0) AS blend
    FROM (
        SELECT
            least(1, greatest(0, coalesce(weight, {artist_tracks_weight})::DOUBLE)) AS w,
            unnest(a.tracks) AS track, unnest(a.track_collaborative)::DOUBLE AS c_ticks,
            unnest(a.track_content)::DOUBLE AS d_ticks, unnest(a.track_because) AS because
        FROM store.artists a
        WHERE a.spelled = store.spelled(store.single_id(artist))
    ) y
) x
JOIN store.tracks t ON t.track_key = x.track
LEFT JOIN store.tracks b ON b.track_key = x.because
WHERE coalesce(len(exclude), 0) = 0 OR NOT list_contains(exclude::VARCHAR[], t.id)
QUALIFY rank <= coalesce(k, 20)
) r ORDER BY r.rank;

CREATE MACRO similar_artists(artist, k := 10, weight := NULL, exclude := []) AS TABLE
SELECT * FROM (
SELECT
    row_number() OVER (ORDER BY x.blend DESC, x.near)::INTEGER AS rank,
    o.name AS artist, x.blend / {ticks} AS score,
    x.c_ticks / {ticks} AS collaborative_score, x.d_ticks / {ticks} AS content_score,
    CASE
        WHEN x.shared > 0 THEN CASE WHEN x.d_ticks > 0 THEN 'hybrid' ELSE 'collaborative' END
        ELSE 'content'
    END AS source,
    x.shared AS shared_listeners, len(list_intersect(x.tracks, o.tracks))::INTEGER AS shared_tracks,
    concat_ws('; ',
        CASE WHEN x.shared > 0 THEN x.shared || CASE WHEN x.shared = 1 THEN ' listener in common' ELSE ' listeners in common' END END,
        CASE len(list_intersect(x.tracks, o.tracks))
            WHEN 0 THEN NULL
            WHEN 1 THEN '1 track together'
            ELSE len(list_intersect(x.tracks, o.tracks)) || ' tracks together'
        END,
        'both tagged ' || array_to_string(nullif(list_filter(x.tags, lambda g: list_contains(o.tags, g))[:3], []), ', '),
        CASE WHEN x.shared = 0 AND NOT list_has_any(x.tags, o.tags) THEN 'similar content' END
    ) AS reason
FROM (
    SELECT
        y.tracks, y.tags, y.near, y.c_ticks, y.d_ticks, y.shared,
        floor(y.w * y.c_ticks + (1 - y.w) * y.d_ticks + 0.5e0) AS blend
    FROM (
        SELECT
            least(1, greatest(0, coalesce(weight::DOUBLE, {weight_of_one}))) AS w,
            a.tracks, a.tags, unnest(a.near) AS near, unnest(a.near_collaborative)::DOUBLE AS c_ticks,
            unnest(a.near_content)::DOUBLE AS d_ticks, unnest(a.near_shared) AS shared
        FROM store.artists a
        WHERE a.spelled = store.spelled(store.single_id(artist))
    ) y
) x
JOIN store.artists o ON o.artist_key = x.near
WHERE x.blend > 0 AND (coalesce(len(exclude), 0) = 0 OR NOT list_contains(
    list_transform(exclude::VARCHAR[], lambda n: store.spelled(n)), o.spelled))
QUALIFY rank <= coalesce(k, 10)
) r ORDER BY r.rank;
