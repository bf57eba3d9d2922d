-- What is being tried on whom, the control first.
SELECT e.* FROM experiments e ORDER BY e.experiment, NOT e.is_control, e.variant
