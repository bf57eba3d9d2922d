-- Which candidates an answer holds; the list is in order and goes to the last track.
WHERE c.rank > $after
  AND (len($genres::VARCHAR[]) = 0 OR list_contains($genres::VARCHAR[], c.genre))
  AND (len($tags::VARCHAR[]) = 0 OR list_has_any(c.tags, $tags::VARCHAR[]))
  AND ($first_year::INTEGER IS NULL OR c.year >= $first_year::INTEGER)
  AND ($last_year::INTEGER IS NULL OR c.year <= $last_year::INTEGER)
  AND ($is_cold::BOOLEAN IS NULL OR c.is_cold = $is_cold::BOOLEAN)
  AND (NOT $has_preview OR c.spotify_preview_url IS NOT NULL)
LIMIT $k
