-- A track's neighbours, filtered, and still as many as were asked for: the list is in order and goes to
-- the last track.
SELECT c.* EXCLUDE (genre, year, tags, listeners, is_cold, spotify_preview_url)
FROM track_candidates($subject, weight := $weight) c
WHERE (len($genres::VARCHAR[]) = 0 OR list_contains($genres::VARCHAR[], c.genre))
  AND (len($tags::VARCHAR[]) = 0 OR list_has_any(c.tags, $tags::VARCHAR[]))
  AND ($first_year::INTEGER IS NULL OR c.year >= $first_year::INTEGER)
  AND ($last_year::INTEGER IS NULL OR c.year <= $last_year::INTEGER)
LIMIT $k
