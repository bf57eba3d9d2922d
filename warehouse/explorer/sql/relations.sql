-- The relations that this release has.
SELECT t.table_name AS name FROM information_schema.tables t WHERE t.table_schema = 'main'
