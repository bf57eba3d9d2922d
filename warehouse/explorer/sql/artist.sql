-- An artist's songs at a glance; the name is spelled as the catalogue spells it.
WITH songs AS (
    SELECT t.*
    FROM artist_tracks($artist, k := 1000000) a JOIN tracks t ON t.track_id = a.track_id
)
SELECT
    coalesce(any_value(list_filter(s.artists, lambda x: lower(x) = lower($artist))[1]), $artist) AS name,
    count(*) AS songs, count(*) FILTER (s.is_cold) AS unplayed, sum(s.plays)::BIGINT AS plays,
    min(s.year) AS first_year, max(s.year) AS last_year,
    list_sort(list(DISTINCT s.genre) FILTER (s.genre IS NOT NULL)) AS genres,
    (SELECT list(u.tag ORDER BY u.uses DESC, u.tag) FROM (
        SELECT x.tag, count(*) AS uses FROM (SELECT unnest(y.tags) AS tag FROM songs y) x
        GROUP BY x.tag) u) AS tags
FROM songs s
