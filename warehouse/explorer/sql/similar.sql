-- A track's neighbours.
FROM similar_to($subject, k := $k, weight := $weight) ORDER BY rank
