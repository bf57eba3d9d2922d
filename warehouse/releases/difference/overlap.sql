-- How alike two sets of lists are, over the listeners that both have.
-- A track that stands at ranks a and b is common to both lists at every depth from max(a, b) on, so
-- it adds (1/max(a, b) + … + 1/k) / k to the average overlap (Fagin, Kumar & Sivakumar 2003), where
-- k is the length of the longer list.
WITH lengths AS (
    SELECT o.user_id, greatest(o.k, n.k) AS k
    FROM (SELECT l.user_id, count(*) AS k FROM old_lists l GROUP BY l.user_id) o
    JOIN (SELECT l.user_id, count(*) AS k FROM new_lists l GROUP BY l.user_id) n USING (user_id)
),
sums AS (  -- harmonic[d + 1] = 1/1 + … + 1/d
    SELECT list_transform(
        range(0, (SELECT max(l.k) FROM lengths l) + 1),
        lambda d: coalesce(list_sum(list_transform(range(1, d + 1), lambda x: 1.0::DOUBLE / x)), 0)
    ) AS harmonic
),
alike AS (
    SELECT
        l.user_id,
        count(*) / any_value(l.k) AS shared,
        sum(s.harmonic[l.k + 1] - s.harmonic[greatest(n.rank, o.rank)]) / any_value(l.k)
            AS average_overlap,
        count(*) FILTER (n.rank = 1 AND o.rank = 1) AS same_first
    FROM lengths l
    JOIN new_lists n ON n.user_id = l.user_id
    JOIN old_lists o ON o.user_id = n.user_id AND o.track_id = n.track_id
    CROSS JOIN sums s
    GROUP BY l.user_id
)
SELECT
    count(*) AS listeners,
    avg(coalesce(a.average_overlap, 0)) AS average_overlap,
    avg(coalesce(a.shared, 0)) AS shared,
    avg(coalesce(a.same_first, 0)) AS same_first
FROM lengths l
LEFT JOIN alike a ON a.user_id = l.user_id
