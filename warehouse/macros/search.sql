-- Find a track by a piece of its name or artist: case, accents and typos are forgiven.
CREATE MACRO search_tracks(text, k := 10) AS TABLE
WITH asked AS MATERIALIZED (
    SELECT trim(regexp_replace(lower(strip_accents(coalesce(text::VARCHAR, ''))), '\s+', ' ', 'g')) AS q
),
matched AS (
    SELECT
        t.track_key,
        CASE
            WHEN a.q = '' THEN 0
            WHEN t.search_name = a.q OR t.search_artist = a.q THEN 1
            WHEN t.search_name || ' ' || t.search_artist = a.q OR t.search_artist || ' ' || t.search_name = a.q THEN 1
            WHEN starts_with(t.search_name, a.q) OR starts_with(t.search_artist, a.q) THEN 0.95
            WHEN contains(t.search_name, a.q) OR contains(t.search_artist, a.q) THEN 0.9
            ELSE 0.89 * greatest(
                jaro_winkler_similarity(t.search_name, a.q, 0.75),
                jaro_winkler_similarity(t.search_artist, a.q, 0.75),
                jaro_winkler_similarity(t.search_name || ' ' || t.search_artist, a.q, 0.75),
                jaro_winkler_similarity(t.search_artist || ' ' || t.search_name, a.q, 0.75))
        END AS score,
        t.listener_rank
    FROM store.tracks t, asked a
)
SELECT
    row_number() OVER (ORDER BY f.score DESC, f.listener_rank)::INTEGER AS rank,
    t.id AS track_id, t.name, t.artist, round(f.score::DOUBLE, 4) AS score
FROM (
    SELECT m.track_key, m.score, m.listener_rank FROM matched m WHERE m.score > 0
    ORDER BY m.score DESC, m.listener_rank LIMIT greatest(coalesce(k, 10), 0)
) f
JOIN store.tracks t ON t.track_key = f.track_key
ORDER BY rank;
