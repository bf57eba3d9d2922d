-- Artists that are close to one.
SELECT r.*
FROM similar_artists($artist, k := $last, weight := $weight, exclude := $exclude::VARCHAR[]) r
WHERE r.rank > $after
ORDER BY r.rank
