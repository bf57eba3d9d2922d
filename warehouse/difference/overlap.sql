-- How alike two sets of lists are, over the listeners that both have.
-- A track that stands at ranks a and b is common to both lists at every depth from max(a, b) on, so
-- it adds (1/max(a, b) + … + 1/k) / k to the average overlap (Fagin, Kumar & Sivakumar 2003).
WITH common AS (
    SELECT DISTINCT n.user_id FROM new_lists n SEMI JOIN old_lists o ON o.user_id = n.user_id
),
depths AS (
    SELECT d.depth, sum(1.0 / d.depth) OVER (ORDER BY d.depth DESC) AS gain
    FROM (SELECT unnest(range(1, $k + 1)) AS depth) d
),
alike AS (
    SELECT
        n.user_id, count(*) / $k AS shared, sum(d.gain) / $k AS average_overlap,
        count(*) FILTER (n.rank = 1 AND o.rank = 1) AS same_first
    FROM new_lists n
    JOIN old_lists o ON o.user_id = n.user_id AND o.track_id = n.track_id
    JOIN depths d ON d.depth = greatest(n.rank, o.rank)
    GROUP BY n.user_id
)
SELECT
    count(*) AS listeners,
    avg(coalesce(a.average_overlap, 0)) AS average_overlap,
    avg(coalesce(a.shared, 0)) AS shared,
    avg(coalesce(a.same_first, 0)) AS same_first
FROM common c
LEFT JOIN alike a ON a.user_id = c.user_id
