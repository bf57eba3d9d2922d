-- Why two tracks are close.
SELECT e.* FROM explain($track_a, $track_b) e
