-- A listener's recommendations.
FROM recommend_user($subject, k := $k, weight := $weight, heard := $heard) ORDER BY rank
