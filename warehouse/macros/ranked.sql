-- The scoring page as SQL: every eligible track for one history, best first.
-- The compiled twin is tasks/hybrid/kernel.py; the double expressions are the same to the letter.
-- Created twice, by `weights` (learned, for histories) and by `similarity` (for one track, without
-- the prior): most of a query's time is planning, so neither plans the other's table.
--
--   history_keys    INTEGER[]  track keys of the history, without repeats; NULL or [] is the empty one
--   share           DOUBLE     collaborative share asked for; NULL: the one learned for that length
--   left_out        VARCHAR[]  ids of tracks to leave out
--   with_heard      BOOLEAN    let tracks of the history back in
--   rows_wanted     BIGINT     rows to return
CREATE MACRO store.ranked_by_{collaborative}(history_keys, share, left_out, with_heard, rows_wanted) AS TABLE
WITH asked AS MATERIALIZED (
    SELECT
        h.history,
        -- greatest and least skip NULL, so the default must be taken before clamping
        least(1.0::DOUBLE, greatest(0.0::DOUBLE, coalesce(share::DOUBLE, s.weight))) AS w,
        CASE WHEN '{collaborative}' = 'similarity' THEN 0.0::DOUBLE ELSE s.popularity END AS p,
        len(h.history) = 0 AS no_history,
        k.gamma, k.artist_factors
    FROM (SELECT coalesce(history_keys, []::INTEGER[]) AS history) h, store.segments s, store.constants k
    WHERE len(h.history) >= s.min_tracks AND len(h.history) <= coalesce(s.max_tracks, 2147483647)
),
heard AS MATERIALIZED (
    SELECT t.track_key AS track, t.id, t.artist_key
    FROM (SELECT unnest(a.history) AS track FROM asked a) h
    JOIN store.tracks t ON t.track_key = h.track
),
edges AS MATERIALIZED (
    SELECT e.source, e.target, e.weight AS q, 0::SMALLINT AS r
    FROM store.{collaborative} e JOIN heard h ON e.source = h.track
    UNION ALL
    SELECT e.source, e.target, 0::SMALLINT AS q, e.weight AS r
    FROM store.content e JOIN heard h ON e.source = h.track
),
-- whole-number sums: exact in any order
sums AS (
    SELECT x.target AS track, sum(x.q)::BIGINT AS c, sum(x.r)::BIGINT AS d
    FROM (
        SELECT e.target, e.q, e.r FROM edges e
        UNION ALL
        SELECT p.track_key, 0::SMALLINT, 0::SMALLINT
        FROM store.prior_candidates p, asked a WHERE a.p > 0 OR a.no_history
    ) x
    GROUP BY x.target
),
summed AS (
    SELECT
        s.track, s.c, s.d, h.track IS NOT NULL AS is_heard,
        -- normalised by the largest sums outside the history
        greatest(max(CASE WHEN h.track IS NULL THEN s.c END) OVER (), 0) AS c_max,
        greatest(max(CASE WHEN h.track IS NULL THEN s.d END) OVER (), 0) AS d_max
    FROM sums s LEFT JOIN heard h ON h.track = s.track
),
normalised AS (
    SELECT
        s.track, s.c, s.d, s.c_max, s.d_max,
        t.artist_key, t.popularity, t.is_cold, t.is_cold OR s.c_max <= 0 AS estimated,
        CASE WHEN s.d_max > 0 THEN least(1.0::DOUBLE, s.d / s.d_max) ELSE 0.0::DOUBLE END AS d1
    FROM summed s
    JOIN store.tracks t ON t.track_key = s.track
    WHERE (with_heard OR NOT s.is_heard) AND NOT list_contains(coalesce(left_out, [])::VARCHAR[], t.id)
),
signals AS (
    SELECT
        n.track, n.artist_key, n.estimated, n.c_max, n.d_max, a.w,
        CASE
            WHEN a.no_history THEN 'popular'
            WHEN n.c > 0 AND NOT n.is_cold THEN CASE WHEN n.d > 0 THEN 'hybrid' ELSE 'collaborative' END
            WHEN n.d > 0 THEN 'content'
            ELSE 'popular'
        END AS source,
        floor(10000.0::DOUBLE * CASE
            WHEN a.no_history THEN n.popularity
            WHEN n.is_cold THEN a.gamma * n.d1
            WHEN n.estimated THEN (a.gamma * n.d1 + a.p * n.popularity) / (1.0::DOUBLE + a.p)
            ELSE (least(1.0::DOUBLE, greatest(0.0::DOUBLE, n.c / n.c_max)) + a.p * n.popularity)
                 / (1.0::DOUBLE + a.p)
        END + 0.5::DOUBLE) AS c_ticks,
        floor(n.d1 * 10000.0::DOUBLE + 0.5::DOUBLE) AS d_ticks,
        a.artist_factors
    FROM normalised n, asked a
),
blended AS (
    SELECT s.*, floor(s.w * s.c_ticks + (1.0::DOUBLE - s.w) * s.d_ticks + 0.5::DOUBLE) AS blend
    FROM signals s
),
-- so that no artist floods a list: one more factor for each of its tracks beyond the third above.
-- Two plain windows instead of one by artist: rank() is where the artist begins in the same order.
repeated AS (
    SELECT
        b.*,
        CASE WHEN b.artist_key IS NULL THEN 0 ELSE least(15, greatest(0,
            row_number() OVER (ORDER BY b.artist_key, b.blend DESC, b.track)
            - rank() OVER (ORDER BY b.artist_key) - 3))
        END AS repeats
    FROM blended b
    WHERE b.blend > 0
),
candidates AS MATERIALIZED (
    SELECT
        r.track, r.c_ticks, r.d_ticks, r.source, r.estimated, r.c_max, r.d_max, r.w,
        CASE WHEN r.repeats = 0 THEN r.blend
             ELSE greatest(1.0::DOUBLE, floor(r.blend * r.artist_factors[r.repeats + 1] + 0.5::DOUBLE))
        END AS ticks
    FROM repeated r
    ORDER BY ticks DESC, r.track
    LIMIT greatest(coalesce(rows_wanted, 0), 0)
),
-- a pair has at most one edge of each kind, so the sum of its parts has at most two terms
reasons AS (
    SELECT p.target, min_by(p.source, {'part': -p.part, 'source': p.source}) AS because
    FROM (
        SELECT
            e.target, e.source,
            sum(CASE
                WHEN c.estimated THEN e.r::DOUBLE
                WHEN e.r = 0 THEN c.w * (e.q / c.c_max)
                WHEN c.d_max > 0 THEN (1.0::DOUBLE - c.w) * (e.r / c.d_max)
                ELSE 0.0::DOUBLE
            END) AS part
        FROM edges e JOIN candidates c ON c.track = e.target
        WHERE c.source <> 'popular'
        GROUP BY e.target, e.source
    ) p
    GROUP BY p.target
),
-- only when candidates run out: score 0, same artist first, then by listeners to the last track
tail AS (
    SELECT
        t.track_key AS track,
        CASE WHEN k.because IS NOT NULL THEN 'same_artist'
             WHEN t.is_cold THEN 'catalogue' ELSE 'popular' END AS source,
        k.because, t.listener_rank
    FROM (SELECT count(*) AS rows FROM candidates) f
    JOIN store.tracks t ON f.rows < rows_wanted
    LEFT JOIN (SELECT h.artist_key, min(h.track) AS because FROM heard h GROUP BY h.artist_key) k
        ON k.artist_key = t.artist_key
    WHERE NOT list_contains(coalesce(left_out, [])::VARCHAR[], t.id)
      AND t.track_key NOT IN (
          SELECT c.track FROM candidates c UNION ALL SELECT h.track FROM heard h WHERE NOT with_heard)
),
placed AS (
    SELECT
        row_number() OVER (ORDER BY x.tier, x.ticks DESC, x.position, x.track) AS place, x.*
    FROM (
        SELECT c.track, c.ticks, c.c_ticks, c.d_ticks, c.source, r.because, -1 AS tier, 0 AS position
        FROM candidates c LEFT JOIN reasons r ON r.target = c.track
        UNION ALL
        SELECT t.track, 0.0::DOUBLE, 0.0::DOUBLE, 0.0::DOUBLE, t.source, t.because,
               (t.because IS NULL)::INTEGER, t.listener_rank
        FROM tail t
    ) x
    QUALIFY place <= rows_wanted
)
SELECT
    p.place::INTEGER AS rank, t.id AS track_id, t.name, t.artist,
    p.ticks / 10000 AS score, p.c_ticks / 10000 AS collaborative_score, p.d_ticks / 10000 AS content_score,
    p.source, h.id AS because_track_id,
    t.genre, t.year, t.tags, t.listeners, t.is_cold
FROM placed p
JOIN store.tracks t ON t.track_key = p.track
LEFT JOIN heard h ON h.track = p.because
ORDER BY p.place;
