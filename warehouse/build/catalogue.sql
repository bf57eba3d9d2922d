-- Before the first table: the schema, the functions of the store, and the source of store.tracks, whose
-- columns warehouse/build/writer.py spells out.

CREATE SCHEMA IF NOT EXISTS store;

-- Which pairs of neighbouring letters a text has, as a set of bits: what shares few of them with a
-- search text cannot be what was meant, typos included. Two sets, as pairs share bits. Arithmetic
-- instead of hash(), whose values may change between DuckDB versions.
CREATE MACRO store.letter_pairs(words, x, y, bits) AS
coalesce(list_aggregate(list_transform(
    range(1, length(words)),
    lambda i: 1::UBIGINT << ((unicode(words[i]) * x + unicode(words[i + 1]) * y) % bits)::UBIGINT
), 'bit_or'), 0::UBIGINT);

{spelled}
-- The name of a source (docs/scoring.md) by its number in the lake and in the macros.
CREATE MACRO store.source_name(source) AS
[{source_names}][source + 1];

-- An id that a caller gives; a list would be an id that nobody has.
CREATE MACRO store.single_id(value) AS
CASE
    WHEN typeof(value) LIKE '%]' THEN error('a list was given where one id is expected; use the macro for many ids')
    ELSE value::VARCHAR
END;

-- The lake's tracks; `artists` is NULL where the lake has no such column.
CREATE TEMP VIEW lake_tracks AS
FROM read_parquet(getvariable('tracks')) UNION ALL BY NAME SELECT NULL::VARCHAR[] AS artists WHERE false;

-- What store.tracks is filled from: the catalogue, with the columns the blend and the search need.
CREATE TEMP VIEW catalogue AS
WITH spelled AS (
    SELECT
        t.track_key,
        store.spelled(t.name) AS search_name,
        store.spelled(t.artist) AS search_artist,
        concat_ws(' ', search_name, search_artist, search_name) AS search_text
    FROM lake_tracks t
)
SELECT
    t.track_id AS id,
    t.* EXCLUDE (track_id, played_key)
        REPLACE (coalesce(t.artists, CASE WHEN t.artist IS NOT NULL THEN [t.artist] END) AS artists),
    c.popularity = 0 AS is_cold,
    c.popularity, c.listener_rank,
    s.search_name, s.search_artist,
    store.letter_pairs(s.search_text, 31, 1, 64) AS search_pairs,
    store.letter_pairs(s.search_text, 7, 43, 61) AS search_pairs_2
FROM lake_tracks t
JOIN read_parquet(getvariable('catalogue')) c USING (track_key)
JOIN spelled s USING (track_key);
