-- Tracks to go on with after a list.
FROM continue_playlist($subject, k := $k, weight := $weight) ORDER BY rank
