-- Songs for the search box.
SELECT s.track_id, s.name, s.artist FROM search_tracks($text, k := $k) s ORDER BY s.rank
