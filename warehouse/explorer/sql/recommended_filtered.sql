-- A listener's recommendations, filtered.
SELECT c.* EXCLUDE (genre, year, tags, listeners, is_cold, spotify_preview_url)
FROM user_candidates($subject, weight := $weight, heard := $heard) c
{filtered}
