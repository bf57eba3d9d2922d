-- A long, varied list around some tracks.
FROM radio($subject, k := $k, weight := $weight, seed := $seed) ORDER BY rank
