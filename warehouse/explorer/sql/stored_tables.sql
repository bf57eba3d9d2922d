-- All stored tables with their row counts.
SELECT t.schema_name || '.' || t.table_name AS stored, t.estimated_size AS rows
FROM duckdb_tables() t
WHERE NOT t.internal
ORDER BY stored
