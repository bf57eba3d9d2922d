-- Values to filter by: all genres, the most frequent tags, the range of years.
SELECT
    (SELECT list(DISTINCT t.genre ORDER BY t.genre) FROM tracks t WHERE t.genre IS NOT NULL) AS genres,
    (SELECT list(u.tag ORDER BY u.uses DESC, u.tag) FROM (
        SELECT x.tag, count(*) AS uses
        FROM (SELECT unnest(t.tags) AS tag FROM tracks t) x
        GROUP BY x.tag ORDER BY uses DESC, x.tag LIMIT 300) u) AS tags,
    (SELECT min(t.year)::INTEGER FROM tracks t) AS first_year,
    (SELECT max(t.year)::INTEGER FROM tracks t) AS last_year
