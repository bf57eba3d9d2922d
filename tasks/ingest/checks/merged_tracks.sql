-- Tracks that are the same song as another one and were merged into it.
-- warn: everything
-- of: track_records
SELECT 'merged' AS offence, merged_tracks AS rows
FROM counts
WHERE merged_tracks > 0;
