-- The columns of the catalogue in this release.
SELECT c.column_name AS name FROM duckdb_columns() c
WHERE c.table_name = 'tracks' AND c.schema_name = 'main'
