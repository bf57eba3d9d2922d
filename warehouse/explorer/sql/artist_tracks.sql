-- An artist's songs, the best known and most typical first.
SELECT
    a.rank, a.track_id, NULL::DOUBLE AS score, NULL::DOUBLE AS collaborative_score,
    NULL::DOUBLE AS content_score, a.source, NULL::VARCHAR AS because_track_id
FROM artist_tracks($artist, k := $k) a
ORDER BY a.rank
