-- Whether this release holds results of experiments.
SELECT count(*) > 0 AS present FROM information_schema.tables t
WHERE t.table_name = 'experiment_results' AND t.table_schema = 'main'
