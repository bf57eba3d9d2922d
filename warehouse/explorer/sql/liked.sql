-- Recommendations for a few liked tracks.
FROM recommend_tracks($subject, k := $k, weight := $weight) ORDER BY rank
