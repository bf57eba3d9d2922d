-- Listeners by the length of their history, in powers of two.
SELECT format('{}+', (2 ** floor(log2(tracks_played)))::INTEGER) AS bin, count(*) AS rows
FROM users
GROUP BY bin;
