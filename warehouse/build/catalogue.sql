-- What must be there before the first table: the schema, and what store.tracks is made from, whose
-- columns warehouse/build/writer.py spells out.

CREATE SCHEMA store;

-- Which pairs of neighbouring letters a text has, as a set of bits: what shares few of them with a
-- search text cannot be what was meant, typos included. Two sets, as pairs share bits. Arithmetic
-- instead of hash(), whose values may change between DuckDB versions.
CREATE MACRO store.letter_pairs(words, x, y, bits) AS
coalesce(list_aggregate(list_transform(
    range(1, length(words)),
    lambda i: 1::UBIGINT << ((unicode(words[i]) * x + unicode(words[i + 1]) * y) % bits)::UBIGINT
), 'bit_or'), 0::UBIGINT);

-- How texts are compared by the search: without case and accents, any white space as one space.
CREATE MACRO store.spelled(words) AS
trim(regexp_replace(lower(strip_accents(coalesce(words, ''))), '\s+', ' ', 'g'));

-- What store.tracks is filled from: the catalogue, with what the blend and the search need of each track.
CREATE TEMP VIEW catalogue AS
WITH spelled AS (
    SELECT
        t.track_key,
        store.spelled(t.name) AS search_name,
        store.spelled(t.artist) AS search_artist,
        concat_ws(' ', search_name, search_artist, search_name) AS search_text
    FROM read_parquet(getvariable('tracks')) t
)
SELECT
    t.track_id AS id,
    t.* EXCLUDE (track_id, played_key),
    t.listeners = 0 AS is_cold,
    c.popularity, c.listener_rank,
    s.search_name, s.search_artist,
    store.letter_pairs(s.search_text, 31, 1, 64) AS search_pairs,
    store.letter_pairs(s.search_text, 7, 43, 61) AS search_pairs_2
FROM read_parquet(getvariable('tracks')) t
JOIN read_parquet(getvariable('catalogue')) c USING (track_key)
JOIN spelled s USING (track_key);
