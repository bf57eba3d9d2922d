-- Every record that counts, with its number of plays and, for a bad one, the reason.
CREATE OR REPLACE TEMP VIEW plays AS
WITH $counted
SELECT
    track_id,
    user_id,
    plays,$played_at
    $reason AS reason
FROM counted;
