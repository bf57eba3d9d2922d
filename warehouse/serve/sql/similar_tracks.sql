-- A track's stored neighbours; no rows for one that is not known.
SELECT r.* EXCLUDE (track_id)
FROM similar_tracks r
WHERE r.track_id = $track_id AND r.rank > $after AND r.rank <= $last
ORDER BY r.rank
