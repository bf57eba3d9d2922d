-- The tracks of an artist.
SELECT r.*
FROM artist_tracks($artist, k := $last, weight := $weight, exclude := $exclude::VARCHAR[]) r
WHERE r.rank > $after
ORDER BY r.rank
