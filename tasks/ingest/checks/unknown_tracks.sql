-- Good play records whose track the catalogue lacks, by track.
-- warn: unknown_share
-- stop: unknown_stop
-- of: play_records
SELECT 'track ' || track_id AS offence, records AS rows
FROM unknown_tracks
ORDER BY records DESC, track_id;
