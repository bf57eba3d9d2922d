-- The list of every listener, a row for each track, as readers see it: whatever a lookup does not have to
-- plan or join is most of its time (docs/decisions/0022-a-row-for-each-recommendation.md). Written by one
-- thread, for the reason in neighbours.sql.

-- Compressions are named, because trying them all takes longer than writing the rows.
CREATE TABLE store.recommendations (
    user_id VARCHAR USING COMPRESSION dictionary, rank INTEGER USING COMPRESSION bitpacking,
    track_id track USING COMPRESSION uncompressed, score SMALLINT USING COMPRESSION bitpacking,
    collaborative SMALLINT USING COMPRESSION bitpacking, content SMALLINT USING COMPRESSION bitpacking,
    source VARCHAR USING COMPRESSION dictionary,
    because_track_id track USING COMPRESSION uncompressed
);
