-- Exposures of an experiment or variant that is not configured.
-- warn: nothing
WITH shown AS (
    SELECT x.experiment, x.variant, count(*) AS rows
    FROM exposures x
    WHERE x.experiment IS NOT NULL
    GROUP BY ALL
)
SELECT concat(experiment, ', variant ', variant) AS offence, rows
FROM shown
WHERE NOT EXISTS (
    FROM configured
    WHERE configured.experiment = shown.experiment AND configured.variant = shown.variant
)
ORDER BY rows DESC, offence;
