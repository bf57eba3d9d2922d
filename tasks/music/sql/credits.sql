-- Who made what: every track with each of its artists. Names that differ only in case, accents or white
-- space are one artist, called as its most played tracks call it.
CREATE TEMP VIEW lake_tracks AS
FROM read_parquet(getvariable('tracks')) UNION ALL BY NAME SELECT NULL::VARCHAR[] AS artists WHERE false;

CREATE TEMP TABLE named AS
SELECT DISTINCT n.track_key, n.listeners, n.name, store.spelled(n.name) AS spelled
FROM (
    SELECT
        t.track_key, t.listeners,
        unnest(coalesce(t.artists, CASE WHEN t.artist IS NOT NULL THEN [t.artist] END)) AS name
    FROM lake_tracks t
) n
WHERE store.spelled(n.name) <> '';

CREATE TEMP TABLE artists AS
SELECT
    (row_number() OVER (ORDER BY s.spelled))::INTEGER - 1 AS artist_key, s.spelled,
    arg_min(s.name, {'listeners': -s.listeners, 'name': s.name}) AS name
FROM (
    SELECT n.spelled, n.name, sum(n.listeners)::BIGINT AS listeners FROM named n GROUP BY n.spelled, n.name
) s
GROUP BY s.spelled;

CREATE TEMP TABLE credits AS
SELECT DISTINCT n.track_key, a.artist_key, n.listeners
FROM named n JOIN artists a ON a.spelled = n.spelled;
