-- Which candidates a list holds; they are in order and go to the last track.
WHERE (len($genres::VARCHAR[]) = 0 OR list_contains($genres::VARCHAR[], c.genre))
  AND (len($tags::VARCHAR[]) = 0 OR list_has_any(c.tags, $tags::VARCHAR[]))
  AND ($first_year::INTEGER IS NULL OR c.year >= $first_year::INTEGER)
  AND ($last_year::INTEGER IS NULL OR c.year <= $last_year::INTEGER)
LIMIT $k
