-- Artists for a listener.
FROM recommend_artists($subject, k := $k, weight := $weight) ORDER BY rank
