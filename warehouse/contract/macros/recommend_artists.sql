-- Artists for a listener: those of the best tracks that recommend_user has for them. An artist's place
-- is that of its best track.
CREATE MACRO recommend_artists(user_id, k := 20, weight := NULL, exclude_artists := [], new_artists := true) AS TABLE
SELECT * FROM (
SELECT
    row_number() OVER (ORDER BY g.best.rank, a.artist_key)::INTEGER AS rank,
    a.name AS artist, g.best.score AS score, g.best.collaborative_score AS collaborative_score,
    g.best.content_score AS content_score, g.best.source AS source, a.listeners, g.tracks,
    g.best.track_id AS track_id, g.best.because_track_id AS because_track_id,
    concat_ws('; ',
        CASE
            WHEN b.id IS NOT NULL THEN 'because of ' || concat_ws(' by ', coalesce(b.name, b.id), b.artist)
            ELSE 'played by ' || a.listeners || CASE WHEN a.listeners = 1 THEN ' listener' ELSE ' listeners' END
        END,
        'start with ' || coalesce(g.best.name, g.best.track_id)
    ) AS reason
FROM (
    SELECT
        x.artist_key, count(*)::INTEGER AS tracks,
        arg_min({
            'rank': x.rank, 'track_id': x.track_id, 'name': x.name, 'score': x.score,
            'collaborative_score': x.collaborative_score, 'content_score': x.content_score,
            'source': x.source, 'because_track_id': x.because_track_id
        }, x.rank) AS best
    FROM (
        SELECT r.*, unnest(s.artists) AS artist_key
        FROM recommend_user(
            user_id, k := {artist_pool}, weight := weight, exclude_artists := exclude_artists,
            new_artists := new_artists
        ) r
        JOIN store.tracks t ON t.id = r.track_id
        JOIN store.signatures s ON s.track_key = t.track_key
    ) x
    GROUP BY x.artist_key
) g
JOIN store.artists a ON a.artist_key = g.artist_key
LEFT JOIN store.tracks b ON b.id = g.best.because_track_id
WHERE (coalesce(len(exclude_artists), 0) = 0 OR NOT list_contains(
        list_transform(exclude_artists::VARCHAR[], lambda n: store.spelled(n)), a.spelled))
  AND (NOT coalesce(new_artists, false) OR a.artist_key NOT IN (
        SELECT unnest(s.artists)
        FROM (SELECT unnest(l.history) AS track FROM store.listeners l WHERE l.id = store.single_id(user_id)) h
        JOIN store.signatures s ON s.track_key = h.track))
QUALIFY rank <= coalesce(k, 20)
) r ORDER BY r.rank;
