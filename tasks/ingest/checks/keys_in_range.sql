-- Keys count up from 0 without a gap, and interactions and dislikes use no others.
-- stop: nothing
WITH used AS (
    SELECT
        min(user_key) AS first_user, max(user_key) AS last_user,
        min(played_key) AS first_track, max(played_key) AS last_track
    FROM interactions
),
disliked AS (
    SELECT
        min(user_key) AS first_user, max(user_key) AS last_user,
        min(track_key) AS first_track, max(track_key) AS last_track
    FROM dislikes
),
given AS (
    SELECT
        (SELECT count(*) FROM users) - 1 AS last_user,
        (SELECT count(played_key) FROM tracks) - 1 AS last_track
),
offences AS (
    SELECT 'user_key' AS offence
    FROM used, disliked, given
    WHERE least(used.first_user, disliked.first_user) <> 0
        OR greatest(used.last_user, disliked.last_user) <> given.last_user
    UNION ALL
    SELECT 'played_key' AS offence
    FROM used, given
    WHERE used.first_track <> 0 OR used.last_track <> given.last_track
    UNION ALL
    SELECT 'track_key of a dislike' AS offence
    FROM disliked
    WHERE first_track < 0 OR last_track >= (SELECT count(*) FROM tracks)
    UNION ALL
    SELECT 'played_key of a track' AS offence
    FROM tracks
    WHERE (played_key IS NULL) <> (listeners = 0)
)
SELECT offence, count(*) AS rows
FROM offences
GROUP BY offence
ORDER BY offence;
