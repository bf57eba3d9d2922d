-- Recommendations for many lists of liked tracks.
FROM recommend_many($lists::VARCHAR[][], k := $k, weight := $weight{variety})
