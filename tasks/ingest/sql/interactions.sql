-- Second reading: keys for ids. Every listener and every track is there once, so no row doubles.
SELECT
    listeners.user_code, catalogue.track_key,
    greatest(1, round(plays.plays))::INTEGER AS plays$stamp
FROM plays
INNER JOIN listeners ON $same_user
INNER JOIN catalogue ON plays.track_id = catalogue.track_id
WHERE $good
ORDER BY listeners.user_code, catalogue.track_key;
