-- The artists of a track, one by one.
SELECT t.artists FROM tracks t WHERE t.track_id = $track_id
