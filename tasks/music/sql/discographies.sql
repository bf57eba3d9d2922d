-- The tracks of each artist with their two scores, in ticks: listeners as a share of the artist's most
-- listened track, and how typical the track is, by the content edges from the artist's other tracks.
-- docs/scoring.md, "Artists", has the rules.
CREATE TEMP TABLE discographies AS
WITH typical AS (
    SELECT
        t.artist_key, e.target AS track_key, sum(e.weight)::BIGINT AS d,
        arg_min(e.source, {'weight': -e.weight, 'source': e.source}) AS because
    FROM read_parquet(getvariable('content')) e
    JOIN credits s ON s.track_key = e.source
    JOIN credits t ON t.track_key = e.target AND t.artist_key = s.artist_key
    GROUP BY t.artist_key, e.target
),
shares AS (
    SELECT
        c.artist_key, c.track_key, c.listeners, y.because,
        c.listeners / nullif(max(c.listeners) OVER (PARTITION BY c.artist_key), 0) AS share,
        sqrt(coalesce(y.d / max(y.d) OVER (PARTITION BY c.artist_key), 0)) AS d
    FROM credits c
    LEFT JOIN typical y ON y.artist_key = c.artist_key AND y.track_key = c.track_key
),
ticks AS (
    SELECT
        s.artist_key, s.track_key, s.listeners, s.because,
        floor({ticks} * CASE WHEN s.listeners = 0 THEN {gamma} * s.d ELSE sqrt(s.share) END + 0.5e0)::SMALLINT
            AS c_ticks,
        floor({ticks} * s.d + 0.5e0)::SMALLINT AS d_ticks
    FROM shares s
)
SELECT
    t.artist_key,
    list(t.track_key ORDER BY t.track_key) AS tracks,
    list(t.c_ticks ORDER BY t.track_key) AS track_collaborative,
    list(t.d_ticks ORDER BY t.track_key) AS track_content,
    list(t.because ORDER BY t.track_key) AS track_because
FROM ticks t
GROUP BY t.artist_key;
