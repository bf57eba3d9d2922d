-- Recommendations for a few liked tracks, filtered; a k beyond the size of the catalogue returns all tracks.
SELECT c.* EXCLUDE (genre, year, tags)
FROM (
    SELECT r.*, t.genre, t.year, t.tags
    FROM recommend_tracks($subject, k := 9223372036854775807, weight := $weight) r
    JOIN tracks t ON t.track_id = r.track_id
) c
WHERE (len($genres::VARCHAR[]) = 0 OR list_contains($genres::VARCHAR[], c.genre))
  AND (len($tags::VARCHAR[]) = 0 OR list_has_any(c.tags, $tags::VARCHAR[]))
  AND ($first_year::INTEGER IS NULL OR c.year >= $first_year::INTEGER)
  AND ($last_year::INTEGER IS NULL OR c.year <= $last_year::INTEGER)
ORDER BY c.rank
LIMIT $k
