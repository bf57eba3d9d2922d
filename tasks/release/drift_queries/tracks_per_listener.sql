-- Listeners with a history by its length, in powers of two.
SELECT format('{}+', (2 ** floor(log2(tracks_played)))::INTEGER) AS bin, count(*) AS rows
FROM users
WHERE tracks_played > 0
GROUP BY bin;
