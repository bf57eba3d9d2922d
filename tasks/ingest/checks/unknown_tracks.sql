-- Good play records whose track the catalogue lacks, by track.
-- warn: unknown_share
-- stop: unknown_stop
-- of: play_records
WITH tracks AS (
    SELECT 'track ' || track_id AS offence, records AS rows
    FROM unknown_tracks
),
causes AS (
    SELECT cause AS offence, 0 AS rows
    FROM unknown_cause
)
SELECT offence, rows
FROM (
    FROM causes
    UNION ALL
    FROM tracks
)
ORDER BY rows DESC, offence;
