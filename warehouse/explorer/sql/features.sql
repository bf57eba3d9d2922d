-- The numeric features of the catalogue, those that count most first.
SELECT c.column_name AS feature
FROM duckdb_columns() c
LEFT JOIN feature_weights w ON w.feature = regexp_replace(c.column_name, '_ms$', '')
WHERE c.database_name = current_database() AND c.schema_name = 'main' AND c.table_name = 'tracks'
    AND c.data_type = 'DOUBLE'
ORDER BY w.weight DESC NULLS LAST, c.column_index
LIMIT $most
