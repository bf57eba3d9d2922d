-- Neighbours of many tracks, in the order of the ids.
FROM similar_to_many($track_ids::VARCHAR[], k := $k, weight := $weight)
