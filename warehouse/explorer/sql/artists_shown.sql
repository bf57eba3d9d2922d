-- Artists whose share of all lists exceeds their share of all plays, the largest excess first.
SELECT
    a.artist, a.tracks, a.share_of_lists, a.share_of_plays
FROM (
    SELECT
        t.artist, count(*) AS tracks,
        coalesce(sum(r.shown), 0) / sum(sum(r.shown)) OVER () AS share_of_lists,
        sum(t.plays) / sum(sum(t.plays)) OVER () AS share_of_plays
    FROM tracks t
    LEFT JOIN (
        SELECT u.track_id, count(*) AS shown FROM user_recommendations u GROUP BY u.track_id
    ) r ON r.track_id = t.track_id
    WHERE t.artist IS NOT NULL
    GROUP BY t.artist
) a
WHERE a.share_of_lists > a.share_of_plays
ORDER BY a.share_of_lists - a.share_of_plays DESC, a.artist
LIMIT $most
