-- Every weight and prior that was tried.
SELECT c.* FROM segment_curve c ORDER BY c.metric, c.segment, c.weight, c.popularity
