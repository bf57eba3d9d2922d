-- The most played tracks.
SELECT
    p.rank, p.track_id, NULL::DOUBLE AS score, NULL::DOUBLE AS collaborative_score,
    NULL::DOUBLE AS content_score, 'popular' AS source, NULL::VARCHAR AS because_track_id
FROM popular_tracks p
WHERE p.scope = 'all' AND p.rank <= $k
ORDER BY p.rank
