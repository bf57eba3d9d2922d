-- Recommendations for a listener.
SELECT r.*
FROM recommend_user(
    $user_id, k := $last, weight := $weight, exclude := $exclude::VARCHAR[], heard := $heard,
    per_artist := $per_artist, exclude_artists := $exclude_artists::VARCHAR[], new_artists := $new_artists{variety}
) r
WHERE r.rank > $after
ORDER BY r.rank
