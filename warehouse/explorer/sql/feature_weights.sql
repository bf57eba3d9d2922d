-- How much each content feature counts.
SELECT f.feature, f.weight FROM feature_weights f ORDER BY f.weight DESC, f.feature
