-- Listeners with a history by its length, in powers of two.
SELECT format('{}+', (2 ** floor(log2(u.tracks_played)))::INTEGER) AS bin, sum(u.rows) AS rows
FROM (SELECT tracks_played, count(*) AS rows FROM users WHERE tracks_played > 0 GROUP BY tracks_played) u
GROUP BY bin;
