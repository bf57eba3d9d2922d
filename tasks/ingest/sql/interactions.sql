-- Second reading: keys for ids. Every listener and every track is there once, so no row doubles. A dislike
-- has 0 plays.
SELECT
    listeners.user_code, catalogue.track_key,
    $whole::INTEGER AS plays$stamp
FROM plays
INNER JOIN listeners ON $same_user
INNER JOIN catalogue ON plays.track_id = catalogue.track_id
WHERE $good
ORDER BY listeners.user_code, catalogue.track_key;
