-- Artists close to one.
FROM similar_artists($artist, k := $k, weight := $weight) ORDER BY rank
