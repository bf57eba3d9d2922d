-- The displayed columns of some tracks.
SELECT
    t.track_id, t.name, t.artist, t.tags, t.genre, t.year, t.listeners, t.plays, t.is_cold,
    t.spotify_preview_url AS preview
FROM tracks t
WHERE t.track_id IN (SELECT unnest($ids::VARCHAR[]))
