-- Segments with listeners, and their defaults.
SELECT s.segment, s.min_tracks, s.max_tracks, s.users, s.weight, s.popularity FROM segments s
