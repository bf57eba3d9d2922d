-- Plays without a time: they count, but nobody knows how recent they are.
-- warn: suspect_share
-- of: play_records
-- only: timed
SELECT 'no time' AS offence, untimed_plays AS rows
FROM counts
WHERE untimed_plays > 0;
