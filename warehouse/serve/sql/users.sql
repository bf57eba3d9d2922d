-- A listener; no row for one who is not known.
FROM users u WHERE u.user_id = $user_id
