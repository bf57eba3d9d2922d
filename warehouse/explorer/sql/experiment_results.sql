-- Results of experiments, one row per experiment, variant, segment and metric.
SELECT e.* FROM experiment_results e ORDER BY ALL
