-- Who is in which variant. The twin in Python is tasks/experiments/assignment.py.
-- MD5 as text instead of hash(), whose values may change between DuckDB versions: its first 13
-- digits are 52 bits, a number in [0, 1) without rounding. The experiment is hashed along, so that
-- one experiment says nothing about the next.

CREATE MACRO store.bucket(user_id, experiment) AS
('0x' || left(md5(experiment::VARCHAR || ':' || user_id::VARCHAR), 13))::BIGINT::DOUBLE / 4503599627370496.0::DOUBLE;

-- The position among the variants counts the parts of [0, 1) that end at or before the bucket; one
-- beyond the last part takes no part in the experiment.
CREATE MACRO variant(user_id, experiment) AS (
    SELECT a.variants[CASE WHEN user_id IS NOT NULL THEN
        1 + len(list_filter(a.upper_ends, lambda e: e <= store.bucket(user_id, experiment))) END]
    FROM store.assignments a WHERE a.name = experiment::VARCHAR
);

CREATE MACRO variant_weight(user_id, experiment) AS (
    SELECT a.weights[CASE WHEN user_id IS NOT NULL THEN
        1 + len(list_filter(a.upper_ends, lambda e: e <= store.bucket(user_id, experiment))) END]
    FROM store.assignments a WHERE a.name = experiment::VARCHAR
);
