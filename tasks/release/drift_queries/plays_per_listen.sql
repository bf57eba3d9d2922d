-- Pairs of listener and track by their number of plays, in powers of two.
SELECT format('{}+', (2 ** floor(log2(plays)))::INTEGER) AS bin, count(*) AS rows
FROM listens
GROUP BY bin;
