-- The scoring page as SQL: the tracks for one history, best first. The compiled twin is
-- tasks/blend/scoring.py; the double expressions are the same to the letter.
--
-- A query spends half its time on planning, and each operator, column and expression adds to it. So each
-- macro has only what its callers need; what is the same for the whole release (segments, γ, δⁿ) is
-- written out; and what is used once is a subquery, because a table expression is planned on its own
-- first. Whole numbers have no exponent, because in a file each double becomes a cast.
-- warehouse/contract/ranked.py fills in the fragments in braces.
CREATE {kind} {name}({arguments}) AS TABLE
-- The order is outside all table expressions, where a LIMIT of the caller meets it: the first rows are
-- picked then, instead of sorting all.
SELECT * FROM (
WITH heard AS MATERIALIZED (
    {history}
),
{dislikes}{edges}-- Whole numbers as doubles: exact in any order.
sums AS MATERIALIZED (
    SELECT
        x.target AS track, sum(x.q) AS c, sum(x.r) AS d,
        bool_or(x.heard) AS is_heard{untouched}
    FROM (
        {summed}
        UNION ALL
        SELECT h.track, 0, 0, true FROM heard h{prior_candidates}
    ) x
    GROUP BY x.target
),
-- Normalised by the largest sums outside the history. greatest and least skip NULL, so the default
-- weight is taken before clamping.
asked AS MATERIALIZED (
    SELECT
        {no_history}a.c_max, a.d_max,
        least(1, greatest(0, coalesce(weight::DOUBLE, {weight}))) AS w{popularity}
    FROM (
        SELECT
            {length}greatest(0, max(s.c) FILTER (WHERE NOT s.is_heard)) AS c_max,
            greatest(0, max(s.d) FILTER (WHERE NOT s.is_heard)) AS d_max
        FROM sums s
    ) a
),
-- From the inside out: normalised sums, the two signals, their blend, the artist's repeats. Below
-- zero, so that candidates, fillers by the same artists (0) and all others (1) sort together.
candidates AS MATERIALIZED (
    SELECT
        r.track, r.artist_key, r.c, r.d, r.popularity, r.c_ticks, r.d_ticks,
        CASE
            WHEN r.repeats <= 0 OR r.artist_key IS NULL THEN -r.blend
            ELSE least(-1, -floor(r.blend * {factors}[least(r.repeats, {last_artist_factor}) + 1] + 0.5e0))
        END AS place
    FROM (
        -- so that no artist floods a list: one more factor for each of its tracks beyond the third
        -- above. Two plain windows instead of one by artist: rank() is where the artist begins in the
        -- same order.
        SELECT
            b.track, b.c, b.d, b.artist_key, b.popularity, b.c_ticks, b.d_ticks, b.blend,
            row_number() OVER (ORDER BY b.artist_key, b.blend DESC, b.track)
                - rank() OVER (ORDER BY b.artist_key) - {artist_allowance} AS repeats
        FROM (
            SELECT
                s.track, s.c, s.d, s.artist_key, s.popularity, s.c_ticks, s.d_ticks,
                floor(s.w * s.c_ticks + (1 - s.w) * s.d_ticks + 0.5e0) AS blend
            FROM (
                -- a track is cold where its popularity is 0: nobody has played it
                SELECT
                    n.track, n.c, n.d, n.artist_key, n.popularity, n.w,
                    floor({ticks} * CASE
                        {collaborative}
                    END + 0.5e0) AS c_ticks,
                    floor(n.d1 * {ticks} + 0.5e0) AS d_ticks
                FROM (
                    SELECT
                        s.track, s.c, s.d, t.artist_key, t.popularity, a.c_max, a.w{prior},
                        CASE WHEN a.d_max > 0 THEN sqrt(least(1, s.d / a.d_max)) ELSE 0 END AS d1
                    FROM sums s{candidate_not_disliked}
                    JOIN store.tracks t ON t.track_key = s.track
                    CROSS JOIN asked a
                    WHERE {eligible}
                ) n
            ) s
        ) b
        WHERE b.blend > 0
    ) r{capped}
    {best}
){varied}
SELECT
    r.rank, t.id AS track_id, t.name, t.artist,
    CASE WHEN r.place < 0 THEN {points} / -{ticks} ELSE 0 END AS score,
    r.c_ticks / {ticks} AS collaborative_score, r.d_ticks / {ticks} AS content_score,
    store.source_name(r.source) AS source, {because_id} AS because_track_id{filters}
FROM (
    SELECT
        row_number() OVER (ORDER BY x.place, x.position)::INTEGER AS rank,
        x.track, x.place, x.c_ticks, x.d_ticks, x.because, x.source
    FROM (
        SELECT
            c.track, c.place, c.track AS position, c.c_ticks, c.d_ticks, {because} AS because,
            -- numbers as in store.source_name: rows of one width are sorted faster than texts
            CASE
                WHEN c.c > 0 AND c.popularity > 0 THEN CASE WHEN c.d > 0 THEN {source_hybrid} ELSE {source_collaborative} END
                WHEN c.d > 0 THEN {source_content}
                ELSE {source_popular}
            END AS source
        FROM {in_order} c{reasons}
        UNION ALL
        SELECT
            t.track, CASE WHEN t.because IS NULL THEN 1 ELSE 0 END, t.listener_rank, 0, 0, t.because,
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
JOIN store.tracks t ON t.track_key = r.track{because_join}
) r ORDER BY r.rank;
