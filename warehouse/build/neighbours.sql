-- What is similar to what, from the lake's Parquet. Written by one thread: several cut the sorted rows
-- into smaller row groups, which fill their blocks less and take a tenth more of the file.

-- Neighbour tables: having `source` speaks for `target` by `weight` / WEIGHT_SCALE. What a history is scored
-- by, learned weights and content, is one table, as one scan costs less than two.
CREATE TABLE store.edges AS
SELECT x.source, x.target, x.weight, x.is_content
FROM (
    SELECT e.source, e.target, e.weight, false AS is_content FROM read_parquet(getvariable('weights')) e
    UNION ALL
    SELECT e.source, e.target, e.weight, true AS is_content FROM read_parquet(getvariable('content')) e
) x
ORDER BY x.source, x.is_content, x.target;

-- Similarity reads the same in both directions, so each pair is stored once.
CREATE TABLE store.similarity AS
SELECT e.source, e.target, e.weight
FROM read_parquet(getvariable('similarity')) e
WHERE e.source < e.target
ORDER BY e.source, e.target;
