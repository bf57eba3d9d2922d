-- Ids of tracks as ENUM: two bytes in a row, and a reader turns them into text without a join. The type is
-- temporary, as the columns carry it: one in the file would be read once more by all who open it.
CREATE TEMP TYPE track AS ENUM (SELECT t.id FROM store.tracks t ORDER BY t.track_key);

CREATE TEMP TABLE track_ids AS
SELECT t.track_key, t.id::track AS id FROM store.tracks t ORDER BY t.track_key;
