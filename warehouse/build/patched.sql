-- Whoever has other rows now gets them at the end of the table, in the order of the ids like all others: a
-- lookup reads there and where the listener's rows would have been before.
DELETE FROM store.recommendations r WHERE r.user_id IN (SELECT c.user_id FROM compared c);

CREATE TEMP TABLE touched AS
SELECT l.*
FROM read_parquet(getvariable('listeners')) l
WHERE l.user_id IN (SELECT c.user_id FROM compared c WHERE c.is_there)
ORDER BY l.user_id;
