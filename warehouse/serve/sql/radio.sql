-- A long, varied list around a few tracks.
SELECT r.*
FROM radio(
    $track_ids::VARCHAR[], seed := $seed, k := $last, weight := $weight, exclude := $exclude::VARCHAR[],
    per_artist := $per_artist
) r
WHERE r.rank > $after
ORDER BY r.rank
