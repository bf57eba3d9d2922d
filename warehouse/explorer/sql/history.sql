-- What a listener played, most played first.
SELECT t.track_id, t.name, t.artist, l.plays, t.genre, t.year
FROM listens l JOIN tracks t ON t.track_id = l.track_id
WHERE l.user_id = $user_id
ORDER BY l.plays DESC, t.track_id
