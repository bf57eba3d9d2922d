-- Artists for a listener.
SELECT r.*
FROM recommend_artists(
    $user_id, k := $last, weight := $weight, exclude_artists := $exclude_artists::VARCHAR[],
    new_artists := $new_artists
) r
WHERE r.rank > $after
ORDER BY r.rank
