-- Play records that repeat a (track, listener) pair and were added to the first.
-- warn: duplicate_share
-- of: play_records
-- needs: counted
SELECT 'repeated pairs' AS offence, merged_duplicates AS rows
FROM counts
WHERE merged_duplicates > 0;
