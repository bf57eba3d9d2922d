-- Counts with a fraction, rounded to at least 1; a rating belongs in `plays.strength`.
-- warn: suspect_share
-- of: play_records
SELECT 'fractions' AS offence, fractional_counts AS rows
FROM counts
WHERE fractional_counts > 0;
