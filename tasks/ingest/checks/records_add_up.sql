-- Every record of the history is an interaction, part of one, of an unknown track, of a
-- listener with too long a history or who was forgotten, a dislike or a play that one overrules, left
-- out or rejected.
-- stop: nothing
WITH balance AS (
    SELECT
        play_records - rejected_plays - filtered_plays - unknown_track_plays - long_history_plays
            - forgotten_plays - dislike_rows - disliked_plays - merged_duplicates - plays_rows AS gap
    FROM counts
)
SELECT 'records unaccounted for' AS offence, abs(gap) AS rows
FROM balance
WHERE gap <> 0;
