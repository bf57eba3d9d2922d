-- Whether this release has a relation of that name.
SELECT count(*) > 0 AS present FROM information_schema.tables t
WHERE t.table_name = $name AND t.table_schema = 'main'
