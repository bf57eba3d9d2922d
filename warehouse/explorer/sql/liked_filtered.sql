-- Recommendations for a few liked tracks, filtered.
SELECT c.* EXCLUDE (genre, year, tags, listeners, is_cold, spotify_preview_url)
FROM candidates_for_tracks($subject, weight := $weight) c
{filtered}
