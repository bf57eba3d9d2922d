-- Find a track by a piece of its name or artist: case, accents and typos are forgiven.

-- What holds the text is told first, so that nothing is put together for it. Below that, a similarity of
-- 1 (0.89 here) means that name and artist together are the text: search_tracks tells it apart, once,
-- instead of two more comparisons for each track.
CREATE MACRO store.alike(name, artist, q) AS
CASE
    WHEN contains(name, q) OR contains(artist, q) THEN
        CASE
            WHEN name = q OR artist = q THEN 1
            WHEN starts_with(name, q) OR starts_with(artist, q) THEN 0.95
            ELSE 0.9
        END
    ELSE 0.89 * greatest(
        jaro_winkler_similarity(name, q, 0.75),
        jaro_winkler_similarity(artist, q, 0.75),
        jaro_winkler_similarity(name || ' ' || artist, q, 0.75),
        jaro_winkler_similarity(artist || ' ' || name, q, 0.75))
END;

CREATE MACRO search_tracks(text, k := 10) AS TABLE
WITH spelled AS (
    SELECT store.spelled(text::VARCHAR) AS q
),
paired AS (
    SELECT s.q, store.letter_pairs(s.q, 31, 1, 64) AS pairs, store.letter_pairs(s.q, 7, 43, 61) AS pairs_2
    FROM spelled s
    WHERE s.q <> ''
),
-- a typo costs up to two letter pairs, each in both sets: one typo is forgiven in a short text, more
-- in a long one, but never more than half of it
asked AS (
    SELECT
        p.q, p.pairs, p.pairs_2,
        least((bit_count(p.pairs) + bit_count(p.pairs_2)) // 2,
              greatest(4, ceil(0.3 * (bit_count(p.pairs) + bit_count(p.pairs_2))))) AS tolerance
    FROM paired p
),
near AS (
    SELECT t.track_key
    FROM store.tracks t, asked a
    WHERE bit_count(a.pairs & ~t.search_pairs) + bit_count(a.pairs_2 & ~t.search_pairs_2) <= a.tolerance
),
-- no filter on the score before the limit: it would be worked out inside the join, row by row
found AS (
    SELECT n.track_key, n.listener_rank, CASE WHEN n.score = 0.89 THEN 1 ELSE n.score END AS score
    FROM (
        SELECT t.track_key, t.listener_rank, store.alike(t.search_name, t.search_artist, s.q) AS score
        FROM near n JOIN store.tracks t ON t.track_key = n.track_key, spelled s
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
