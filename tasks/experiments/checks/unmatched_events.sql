-- Exposure ids in events that no exposure file has.
-- warn: unmatched_share
-- of: events
SELECT 'without exposure' AS offence, events AS rows
FROM unmatched
WHERE events > 0;
