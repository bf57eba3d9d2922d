-- The scoring page as SQL: the tracks for one history, best first. The compiled twin is
-- tasks/blend/scoring.py; the double expressions are the same to the letter.
--
-- A query spends half its time on planning, and each operator, column and expression adds to it. So
-- there is one macro per caller with nothing in it that this caller does not need, what is the same for
-- the whole release (segments, γ, δⁿ) stands in the text, and what is used once is a subquery: a
-- table expression is planned on its own first and put in its place later. Whole numbers stand without
-- an exponent, because in a file each double becomes a cast. MATERIALIZED is lost in a file: it helps
-- the macros that are not in one. warehouse/contract/ranked.py fills in what stands in braces. "each", "same",
-- "by", "part" and "of each" keep many questions apart that are asked in one query; they are empty where
-- there is only one.
CREATE {kind} {name}({arguments}) AS TABLE
-- the order stands outside of all table expressions, where a LIMIT of the caller meets it: the first
-- rows are picked then, instead of sorting all
SELECT * FROM (
WITH {questions}heard AS MATERIALIZED (
    {history}
),
{edges}-- Whole numbers as doubles: exact in any order. The most played tracks are always touched; without
-- a prior their blend is 0 and they drop out.
sums AS MATERIALIZED (
    SELECT
        {each x}x.target AS track, sum(x.q) AS c, sum(x.r) AS d,
        bool_or(x.heard) AS is_heard{untouched}
    FROM (
        {summed}
        UNION ALL
        SELECT {each h}h.track, 0, 0, true FROM heard h
        UNION ALL
        SELECT {each q}p.track_key, 0, 0, false FROM store.prior_candidates p{of each}
    ) x
    GROUP BY {each x}x.target
),
-- Normalised by the largest sums outside the history. greatest and least skip NULL, so the default
-- weight is taken before clamping.
asked AS MATERIALIZED (
    SELECT
        {each a}a.n = 0 AS no_history, a.c_max, a.d_max,
        least(1, greatest(0, coalesce(weight::DOUBLE, {weight}))) AS w{popularity}
    FROM (
        SELECT
            {each s}count(*) FILTER (WHERE s.is_heard) AS n,
            greatest(0, max(s.c) FILTER (WHERE NOT s.is_heard)) AS c_max,
            greatest(0, max(s.d) FILTER (WHERE NOT s.is_heard)) AS d_max
        FROM sums s
        {by s}
    ) a
),
-- From the inside out: normalised sums, the two signals, their blend, the artist's repeats. Below
-- zero, so that candidates, fillers by the same artists (0) and all others (1) sort together.
candidates AS MATERIALIZED (
    SELECT
        {each r}r.track, r.c, r.d, r.popularity, r.c_ticks, r.d_ticks,
        CASE
            WHEN r.repeats <= 0 OR r.artist_key IS NULL THEN -r.blend
            ELSE least(-1, -floor(r.blend * {factors}[least(r.repeats, {last_artist_factor}) + 1] + 0.5e0))
        END AS place
    FROM (
        -- so that no artist floods a list: one more factor for each of its tracks beyond the third
        -- above. Two plain windows instead of one by artist: rank() is where the artist begins in the
        -- same order.
        SELECT
            {each b}b.track, b.c, b.d, b.artist_key, b.popularity, b.c_ticks, b.d_ticks, b.blend,
            row_number() OVER (ORDER BY {each b}b.artist_key, b.blend DESC, b.track)
                - rank() OVER (ORDER BY {each b}b.artist_key) - {artist_allowance} AS repeats
        FROM (
            SELECT
                {each s}s.track, s.c, s.d, s.artist_key, s.popularity, s.c_ticks, s.d_ticks,
                floor(s.w * s.c_ticks + (1 - s.w) * s.d_ticks + 0.5e0) AS blend
            FROM (
                -- a track is cold where its popularity is 0: nobody has played it
                SELECT
                    {each n}n.track, n.c, n.d, n.artist_key, n.popularity, n.w,
                    floor({ticks} * CASE
                        WHEN n.no_history THEN n.popularity
                        {collaborative}
                    END + 0.5e0) AS c_ticks,
                    floor(n.d1 * {ticks} + 0.5e0) AS d_ticks
                FROM (
                    SELECT
                        {each s}s.track, s.c, s.d, t.artist_key, t.popularity, a.c_max, a.no_history, a.w{p},
                        CASE WHEN a.d_max > 0 THEN sqrt(least(1, s.d / a.d_max)) ELSE 0 END AS d1
                    FROM sums s
                    JOIN store.tracks t ON t.track_key = s.track
                    CROSS JOIN asked a
                    WHERE {eligible}{same a s}
                ) n
            ) s
        ) b
        WHERE b.blend > 0
    ) r
    {best}
)
SELECT
    {each r}r.rank, t.id AS track_id, t.name, t.artist,
    CASE WHEN r.place < 0 THEN r.place / -{ticks} ELSE 0 END AS score,
    r.c_ticks / {ticks} AS collaborative_score, r.d_ticks / {ticks} AS content_score,
    store.source_name(r.source) AS source, {because id} AS because_track_id{more}
FROM (
    SELECT
        row_number() OVER ({part x}ORDER BY x.place, x.position)::INTEGER AS rank,
        {each x}x.track, x.place, x.c_ticks, x.d_ticks, x.because, x.source
    FROM (
        SELECT
            {each c}c.track, c.place, c.track AS position, c.c_ticks, c.d_ticks, {because} AS because,
            -- numbers as in store.source_name: rows of one width are sorted faster than texts
            CASE
                WHEN c.c > 0 AND c.popularity > 0 THEN CASE WHEN c.d > 0 THEN {source_hybrid} ELSE {source_collaborative} END
                WHEN c.d > 0 THEN {source_content}
                ELSE {source_popular}
            END AS source
        FROM candidates c{reasons}
        UNION ALL
        SELECT
            {each t}t.track, CASE WHEN t.because IS NULL THEN 1 ELSE 0 END, t.listener_rank, 0, 0, t.because,
            CASE
                WHEN t.because IS NOT NULL THEN {source_same_artist}
                WHEN t.popularity = 0 THEN {source_catalogue}
                ELSE {source_popular}
            END
        FROM (
            {tail}
        ) t
    ) x
    {rows}
) r
JOIN store.tracks t ON t.track_key = r.track{because join}
) r ORDER BY {each r}r.rank;
