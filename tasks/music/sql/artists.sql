-- One row per artist, with all that is known of it. `nearest` is what the kernel found.
WITH tagged AS (
    SELECT c.artist_key, lower(g.tag) AS tag, count(*) AS tracks
    FROM credits c
    JOIN (SELECT t.track_key, unnest(t.tags) AS tag FROM lake_tracks t) g ON g.track_key = c.track_key
    GROUP BY c.artist_key, lower(g.tag)
),
tags AS (
    SELECT r.artist_key, list(r.tag ORDER BY r.place) AS tags
    FROM (
        SELECT
            t.artist_key, t.tag,
            row_number() OVER (PARTITION BY t.artist_key ORDER BY t.tracks DESC, t.tag) AS place
        FROM tagged t
        QUALIFY place <= {artist_tags}
    ) r
    GROUP BY r.artist_key
)
SELECT
    a.artist_key, a.spelled, a.name, n.listeners, coalesce(g.tags, []) AS tags,
    d.tracks, d.track_collaborative, d.track_content, d.track_because,
    n.near, n.near_collaborative, n.near_content, n.near_shared
FROM artists a
JOIN discographies d ON d.artist_key = a.artist_key
JOIN nearest n ON n.artist_key = a.artist_key
LEFT JOIN tags g ON g.artist_key = a.artist_key
ORDER BY a.artist_key;
