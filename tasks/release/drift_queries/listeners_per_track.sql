-- Tracks by their number of listeners, in powers of two; the unplayed ones apart.
SELECT
    CASE
        WHEN listeners > 0 THEN format('{}+', (2 ** floor(log2(listeners)))::INTEGER)
        ELSE 'none'
    END AS bin,
    count(*) AS rows
FROM tracks
GROUP BY bin;
