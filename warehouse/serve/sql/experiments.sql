-- What is being tried on whom.
FROM experiments e ORDER BY e.experiment, e.variant
