-- The macros of the contract that this release has.
SELECT DISTINCT f.function_name AS name
FROM duckdb_functions() f
WHERE f.schema_name = 'main' AND f.function_type = 'table_macro' AND NOT f.internal
