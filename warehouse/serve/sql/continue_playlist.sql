-- Tracks to go on with after a playlist.
SELECT r.*
FROM continue_playlist(
    $track_ids::VARCHAR[], k := $last, weight := $weight, exclude := $exclude::VARCHAR[], per_artist := $per_artist
) r
WHERE r.rank > $after
ORDER BY r.rank
