-- Measured quality on held-out listeners.
FROM evaluation e ORDER BY e.model, e.segment, e.metric, e.k
