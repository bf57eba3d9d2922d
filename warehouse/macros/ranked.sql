-- The scoring page as SQL: every eligible track for one history, best first.
-- The compiled twin is tasks/hybrid/kernel.py; the double expressions are the same to the letter.
--
--   history_keys    INTEGER[]  track keys of the history, without repeats; NULL or [] is the empty one
--   share           DOUBLE     collaborative share asked for; NULL: the one learned for that length
--   left_out        VARCHAR[]  ids of tracks to leave out
--   with_heard      BOOLEAN    let tracks of the history back in
--   track_to_track  BOOLEAN    score by similarity instead of learned weights, without the prior
--   rows_wanted     BIGINT     rows to return
CREATE MACRO store.ranked(history_keys, share, left_out, with_heard, track_to_track, rows_wanted) AS TABLE
WITH asked AS MATERIALIZED (
    SELECT
        h.history,
        -- greatest and least skip NULL, so the default must be taken before clamping
        least(1.0::DOUBLE, greatest(0.0::DOUBLE, coalesce(share::DOUBLE, s.weight))) AS w,
        CASE WHEN track_to_track THEN 0.0::DOUBLE ELSE s.popularity END AS p,
        len(h.history) = 0 AS no_history
    FROM (SELECT coalesce(history_keys, []::INTEGER[]) AS history) h
    JOIN store.segments s
      ON len(h.history) >= s.min_tracks AND len(h.history) <= coalesce(s.max_tracks, 2147483647)
),
heard AS MATERIALIZED (
    SELECT unnest(a.history) AS track FROM asked a
),
edges AS MATERIALIZED (
    SELECT e.source, e.target, e.weight AS q, 0::SMALLINT AS r
    FROM store.weights e JOIN heard h ON e.source = h.track WHERE NOT track_to_track
    UNION ALL
    SELECT e.source, e.target, e.weight AS q, 0::SMALLINT AS r
    FROM store.similarity e JOIN heard h ON e.source = h.track WHERE track_to_track
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
        CASE
            WHEN a.no_history THEN n.popularity
            WHEN n.is_cold THEN k.gamma * n.d1
            WHEN n.estimated THEN (k.gamma * n.d1 + a.p * n.popularity) / (1.0::DOUBLE + a.p)
            ELSE (least(1.0::DOUBLE, greatest(0.0::DOUBLE, n.c / n.c_max)) + a.p * n.popularity)
                 / (1.0::DOUBLE + a.p)
        END AS c1,
        n.d1,
        k.artist_factors
    FROM normalised n, asked a, store.constants k
),
blended AS (
    SELECT
        s.track, s.artist_key, s.estimated, s.c_max, s.d_max, s.w, s.source, s.artist_factors,
        floor(s.c1 * 10000.0::DOUBLE + 0.5::DOUBLE) AS c_ticks,
        floor(s.d1 * 10000.0::DOUBLE + 0.5::DOUBLE) AS d_ticks,
        floor(s.w * floor(s.c1 * 10000.0::DOUBLE + 0.5::DOUBLE)
              + (1.0::DOUBLE - s.w) * floor(s.d1 * 10000.0::DOUBLE + 0.5::DOUBLE)
              + 0.5::DOUBLE) AS blend
    FROM signals s
),
-- so that no artist floods a list: one more factor for each of its tracks beyond the third above
repeated AS (
    SELECT
        b.*,
        CASE WHEN b.artist_key IS NULL THEN 0 ELSE least(15, greatest(0,
            row_number() OVER (PARTITION BY b.artist_key ORDER BY b.blend DESC, b.track) - 4))
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
parts AS (
    SELECT
        e.source, e.target,
        CASE
            WHEN c.estimated THEN sum(e.r)::DOUBLE
            ELSE c.w * (sum(e.q)::BIGINT / c.c_max) + (1.0::DOUBLE - c.w)
                 * CASE WHEN c.d_max > 0 THEN sum(e.r)::BIGINT / c.d_max ELSE 0.0::DOUBLE END
        END AS part
    FROM edges e JOIN candidates c ON c.track = e.target
    WHERE c.source <> 'popular'
    GROUP BY e.source, e.target, c.estimated, c.w, c.c_max, c.d_max
),
reasons AS (
    SELECT p.target, min_by(p.source, {'part': -p.part, 'source': p.source}) AS because
    FROM parts p
    GROUP BY p.target
),
-- only when candidates run out: score 0, same artist first, then by listeners to the last track
kin AS (
    SELECT t.artist_key, min(h.track) AS because
    FROM heard h JOIN store.tracks t ON t.track_key = h.track
    WHERE t.artist_key IS NOT NULL
    GROUP BY t.artist_key
),
tail AS (
    SELECT
        t.track_key AS track, 0.0::DOUBLE AS ticks, 0.0::DOUBLE AS c_ticks, 0.0::DOUBLE AS d_ticks,
        CASE WHEN k.because IS NOT NULL THEN 'same_artist'
             WHEN t.is_cold THEN 'catalogue' ELSE 'popular' END AS source,
        k.because,
        CASE WHEN k.because IS NULL THEN 1 ELSE 0 END AS tier,
        t.listener_rank
    FROM store.tracks t
    LEFT JOIN kin k ON k.artist_key = t.artist_key
    WHERE (SELECT count(*) FROM candidates) < rows_wanted
      AND NOT list_contains(coalesce(left_out, [])::VARCHAR[], t.id)
      AND (with_heard OR t.track_key NOT IN (SELECT h.track FROM heard h))
      AND t.track_key NOT IN (SELECT c.track FROM candidates c)
)
SELECT
    row_number() OVER (ORDER BY x.tier, x.ticks DESC, x.position, x.track) AS rank,
    x.track, x.ticks / 10000 AS score,
    x.c_ticks / 10000 AS collaborative_score, x.d_ticks / 10000 AS content_score,
    x.source, x.because
FROM (
    SELECT c.track, c.ticks, c.c_ticks, c.d_ticks, c.source, r.because, -1 AS tier, 0 AS position
    FROM candidates c LEFT JOIN reasons r ON r.target = c.track
    UNION ALL
    SELECT t.track, t.ticks, t.c_ticks, t.d_ticks, t.source, t.because, t.tier, t.listener_rank
    FROM tail t
) x
QUALIFY rank <= rows_wanted;
