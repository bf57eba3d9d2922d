-- Recommendations for a few liked tracks.
SELECT r.*
FROM recommend_tracks(
    $track_ids::VARCHAR[], k := $last, weight := $weight, exclude := $exclude::VARCHAR[],
    per_artist := $per_artist, exclude_artists := $exclude_artists::VARCHAR[], new_artists := $new_artists{variety}
) r
WHERE r.rank > $after
ORDER BY r.rank
