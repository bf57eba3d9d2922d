-- A hundred listeners, the same ones each time.
SELECT u.user_id FROM users u USING SAMPLE reservoir(100 ROWS) REPEATABLE (7)
