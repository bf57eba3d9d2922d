-- One listener.
SELECT u.user_id, u.tracks_played, u.plays, u.segment, u.weight FROM users u WHERE u.user_id = $user_id
