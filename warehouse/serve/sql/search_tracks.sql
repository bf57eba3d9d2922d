-- Tracks by a piece of their name or artist.
SELECT s.*
FROM search_tracks($text, k := $last, exclude := $exclude::VARCHAR[]) s
WHERE s.rank > $after
ORDER BY s.rank
