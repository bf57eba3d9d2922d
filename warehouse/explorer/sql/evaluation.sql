-- Measured quality: one row per model, segment, metric and k.
SELECT e.model, e.segment, e.metric, e.k, e.value, e.ci_low, e.ci_high, e.users
FROM evaluation e
ORDER BY e.metric, e.k, e.segment, e.model
