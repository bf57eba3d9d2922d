-- Exposures and clicks of every track at every rank, by segment. Ranks beyond $last_rank count as
-- $last_rank.
WITH shown AS (
    SELECT
        x.track_id, least(x.rank, $last_rank) AS rank, coalesce(g.segment, 0) AS segment,
        count(*) AS exposures
    FROM exposures x LEFT JOIN segment_of g ON g."user" = x."user"
    GROUP BY ALL
),
clicked AS (
    SELECT
        f.track_id, least(f.rank, $last_rank) AS rank, coalesce(g.segment, 0) AS segment,
        count(*) AS clicks
    FROM followed f LEFT JOIN segment_of g ON g."user" = f."user"
    WHERE f.clicked
    GROUP BY ALL
)
SELECT
    (dense_rank() OVER (ORDER BY s.track_id) - 1)::BIGINT AS track,
    s.track_id, s.rank, s.segment::BIGINT AS segment,
    s.exposures::DOUBLE AS exposures, coalesce(c.clicks, 0)::DOUBLE AS clicks
FROM shown s LEFT JOIN clicked c USING (track_id, rank, segment)
ORDER BY s.track_id, s.rank, s.segment;
