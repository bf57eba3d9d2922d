-- ranked.sql for many histories in one query: the same expressions, and the column `question` keeps the
-- histories apart. Ids that mean the same history are one question: repeated ones, and all listeners
-- that are not known. What is stored is read from there, at the end.
CREATE {kind} {name}({arguments}) AS TABLE
SELECT {columns} FROM (
WITH given AS MATERIALIZED (
    {given}
),
questions AS MATERIALIZED (
    SELECT
        CASE
            WHEN count(*) OVER () > {computed_at_once} THEN error({too_many})::BIGINT
            ELSE g.question
        END AS question,
        g.history{handed_on}
    FROM given g
    WHERE g.position = g.question AND NOT g.is_stored
),
heard AS MATERIALIZED (
    {history}
),
{dislikes}{edges}sums AS MATERIALIZED (
    SELECT
        x.question, x.target AS track, sum(x.q) AS c, sum(x.r) AS d,
        bool_or(x.heard) AS is_heard{untouched}
    FROM (
        {summed}
        UNION ALL
        SELECT h.question, h.track, 0, 0, true FROM heard h{prior_candidates}
    ) x
    GROUP BY x.question, x.target
),
asked AS MATERIALIZED (
    SELECT
        a.question, {no_history}a.c_max, a.d_max,
        least(1, greatest(0, coalesce(weight::DOUBLE, {weight}))) AS w{popularity}
    FROM (
        SELECT
            s.question, {length}greatest(0, max(s.c) FILTER (WHERE NOT s.is_heard)) AS c_max,
            greatest(0, max(s.d) FILTER (WHERE NOT s.is_heard)) AS d_max
        FROM sums s
        GROUP BY s.question
    ) a
),
blended AS MATERIALIZED (
    SELECT
        s.question, s.track, s.c, s.d, s.artist_key, s.popularity, s.c_ticks, s.d_ticks,
        floor(s.w * s.c_ticks + (1 - s.w) * s.d_ticks + 0.5e0) AS blend
    FROM (
        SELECT
            n.question, n.track, n.c, n.d, n.artist_key, n.popularity, n.w,
            floor({ticks} * CASE
                {collaborative}
            END + 0.5e0) AS c_ticks,
            floor(n.d1 * {ticks} + 0.5e0) AS d_ticks
        FROM (
            SELECT
                s.question, s.track, s.c, s.d, t.artist_key, t.popularity, a.c_max, a.w{prior},
                CASE WHEN a.d_max > 0 THEN sqrt(least(1, s.d / a.d_max)) ELSE 0 END AS d1
            FROM sums s{candidate_not_disliked}
            JOIN store.tracks t ON t.track_key = s.track
            CROSS JOIN asked a
            WHERE {eligible} AND a.question = s.question
        ) n
    ) s
),
candidates AS MATERIALIZED (
    SELECT
        r.question, r.track, r.c, r.d, r.popularity, r.c_ticks, r.d_ticks,
        CASE
            WHEN r.repeats <= 0 OR r.artist_key IS NULL THEN -r.blend
            ELSE least(-1, -floor(r.blend * {factors}[least(r.repeats, {last_artist_factor}) + 1] + 0.5e0))
        END AS place
    FROM (
        SELECT
            b.question, b.track, b.c, b.d, b.artist_key, b.popularity, b.c_ticks, b.d_ticks, b.blend,
            row_number() OVER (PARTITION BY b.question, b.artist_key ORDER BY b.blend DESC, b.track)
                - 1 - {artist_allowance} AS repeats
        FROM blended b
        -- Windows sort all that they are given. An artist's best track is never marked down and no other is
        -- marked up, so what is below the best of as many artists as the list has rows is not in it.
        JOIN (
            SELECT
                m.question,
                greatest(1, m.blends[list_sort(list_transform(
                    list_distinct(m.artists), lambda artist: list_position(m.artists, artist)
                ))[{listed}]]) AS lowest
            FROM (
                SELECT
                    b.question, max(b.blend, {looked_at}) AS blends,
                    max_by(coalesce(b.artist_key, -1 - b.track), b.blend, {looked_at}) AS artists
                FROM blended b
                GROUP BY b.question
            ) m
        ) l ON l.question = b.question AND b.blend >= l.lowest
    ) r
    QUALIFY row_number() OVER (PARTITION BY r.question ORDER BY place, r.track) <= {listed}
){varied}
SELECT
    g.position, {asked_by}r.rank, t.id AS {found}, t.name, t.artist,
    CASE WHEN r.place < 0 THEN {points} / -{ticks} ELSE 0 END AS score,
    r.c_ticks / {ticks} AS collaborative_score, r.d_ticks / {ticks} AS content_score,
    store.source_name(r.source) AS source, {because_id} AS because_track_id
FROM (
    SELECT
        row_number() OVER (PARTITION BY x.question ORDER BY x.place, x.position)::INTEGER AS rank,
        x.question, x.track, x.place, x.c_ticks, x.d_ticks, x.because, x.source
    FROM (
        SELECT
            c.question, c.track, c.place, c.track AS position, c.c_ticks, c.d_ticks, {because} AS because,
            CASE
                WHEN c.c > 0 AND c.popularity > 0 THEN CASE WHEN c.d > 0 THEN {source_hybrid} ELSE {source_collaborative} END
                WHEN c.d > 0 THEN {source_content}
                ELSE {source_popular}
            END AS source
        FROM {in_order} c{reasons}
        UNION ALL
        SELECT
            t.question, t.track, CASE WHEN t.because IS NULL THEN 1 ELSE 0 END, t.listener_rank, 0, 0, t.because,
            CASE
                WHEN t.because IS NOT NULL THEN {source_same_artist}
                WHEN t.popularity = 0 THEN {source_catalogue}
                ELSE {source_popular}
            END
        FROM (
            {tail}
        ) t
    ) x
    QUALIFY rank <= {k}
) r
JOIN given g ON g.question = r.question
JOIN store.tracks t ON t.track_key = r.track{because_join}{stored}
) r
ORDER BY r.position, r.rank;
