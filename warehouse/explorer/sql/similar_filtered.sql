-- A track's neighbours, filtered.
SELECT c.* EXCLUDE (genre, year, tags, listeners, is_cold, spotify_preview_url)
FROM track_candidates($subject, weight := $weight) c
{filtered}
