-- A fixed sample of 100 listeners.
SELECT u.user_id FROM users u USING SAMPLE reservoir(100 ROWS) REPEATABLE (7)
