-- Find a track by a piece of its name or artist: case, accents and typos are forgiven.

-- How well a track fits, `spaced` being ' name artist name '. Whole words and beginnings of words come
-- before parts of words, and all of these before similarity, which is only worked out without them.
-- The words of the text may be spread over name and artist; `word_1` to `word_4` are the first four.
CREATE MACRO store.alike(name, artist, spaced, q, word_1, word_2, word_3, word_4) AS
CASE
    WHEN contains(spaced, q) THEN
        CASE
            WHEN name = q OR artist = q OR name || ' ' || artist = q OR artist || ' ' || name = q THEN 1
            WHEN starts_with(name || ' ', q || ' ') OR starts_with(artist || ' ', q || ' ') THEN 0.96
            WHEN starts_with(name, q) OR starts_with(artist, q) THEN 0.95
            WHEN contains(spaced, ' ' || q || ' ') THEN 0.93
            WHEN contains(spaced, ' ' || q) THEN 0.9
            ELSE 0.895
        END
    WHEN contains(spaced, word_1) AND contains(spaced, word_2) AND contains(spaced, word_3) AND contains(spaced, word_4)
        THEN 0.9
    ELSE 0.89 * greatest(
        jaro_winkler_similarity(name, q, 0.75),
        jaro_winkler_similarity(artist, q, 0.75),
        jaro_winkler_similarity(name || ' ' || artist, q, 0.75),
        jaro_winkler_similarity(artist || ' ' || name, q, 0.75))
END;

CREATE MACRO search_tracks(text, k := 10, exclude := []) AS TABLE
WITH spelled AS (
    SELECT s.q, string_split(s.q, ' ') AS words FROM (SELECT store.spelled(text::VARCHAR) AS q) s
),
paired AS (
    SELECT
        s.q, s.words, store.letter_pairs(s.q, 31, 1, 64) AS pairs, store.letter_pairs(s.q, 7, 43, 61) AS pairs_2
    FROM spelled s
    WHERE s.q <> ''
),
-- a typo costs up to two letter pairs, each in both sets: one typo is forgiven in a short text, more
-- in a long one, but never more than half of it
asked AS (
    SELECT
        p.q, p.pairs, p.pairs_2,
        ' ' || p.words[1] AS word_1, coalesce(' ' || p.words[2], '') AS word_2,
        coalesce(' ' || p.words[3], '') AS word_3, coalesce(' ' || p.words[4], '') AS word_4,
        least((bit_count(p.pairs) + bit_count(p.pairs_2)) // 2,
              greatest(4, ceil(0.3 * (bit_count(p.pairs) + bit_count(p.pairs_2))))) AS tolerance
    FROM paired p
),
near AS (
    SELECT t.track_key
    FROM store.tracks t, asked a
    WHERE bit_count(a.pairs & ~t.search_pairs) + bit_count(a.pairs_2 & ~t.search_pairs_2) <= a.tolerance
      AND (coalesce(len(exclude), 0) = 0 OR NOT list_contains(exclude::VARCHAR[], t.id))
),
-- no filter on the score before the limit: it would be worked out inside the join, row by row
found AS (
    SELECT
        n.track_key, n.listener_rank,
        store.alike(n.search_name, n.search_artist, n.spaced, n.q, n.word_1, n.word_2, n.word_3, n.word_4) AS score
    FROM (
        SELECT
            n.track_key, t.listener_rank, t.search_name, t.search_artist,
            ' ' || t.search_name || ' ' || t.search_artist || ' ' || t.search_name || ' ' AS spaced,
            a.q, a.word_1, a.word_2, a.word_3, a.word_4
        FROM near n JOIN store.tracks t ON t.track_key = n.track_key, asked a
    ) n
    ORDER BY score DESC, n.listener_rank
    LIMIT greatest(coalesce(k, 10), 0)
)
SELECT
    row_number() OVER (ORDER BY f.score DESC, f.listener_rank)::INTEGER AS rank,
    t.id AS track_id, t.name, t.artist, round(f.score::DOUBLE, 4) AS score
FROM found f
JOIN store.tracks t ON t.track_key = f.track_key
WHERE f.score > 0
ORDER BY rank;
