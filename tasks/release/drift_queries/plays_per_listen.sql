-- Pairs of listener and track by their number of plays, in powers of two. Counted by plays first: there
-- are few numbers of plays, and each is put into words once.
SELECT format('{}+', (2 ** floor(log2(p.plays)))::INTEGER) AS bin, sum(p.rows) AS rows
FROM (SELECT plays, count(*) AS rows FROM listens GROUP BY plays) p
GROUP BY bin;
