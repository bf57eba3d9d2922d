-- Whether lists of this release can be in another order than that of the scores.
SELECT count(*) > 0 AS present
FROM duckdb_functions() f
WHERE f.schema_name = 'main' AND f.function_name = 'recommend_user' AND list_contains(f.parameters, 'diversity')
