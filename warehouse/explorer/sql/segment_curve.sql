-- Quality by weight, at the best prior for each weight.
SELECT
    c.segment, c.weight, c.metric, arg_max(c.popularity, c.value) AS popularity, max(c.value) AS value,
    arg_max(c.ci_low, c.value) AS ci_low, arg_max(c.ci_high, c.value) AS ci_high
FROM segment_curve c
GROUP BY c.segment, c.weight, c.metric
ORDER BY c.metric, c.segment, c.weight
