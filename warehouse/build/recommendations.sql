-- The list of every listener, a row for each track, as readers see it: whatever a lookup does not have to
-- plan or join is most of its time (docs/decisions/0022-a-row-for-each-recommendation.md). Written by one
-- thread, for the reason in neighbours.sql.

-- Ids of tracks as ENUM: two bytes in a row, and a reader turns them into text without a join. The type is
-- temporary, as the columns carry it: one in the file would be read once more by all who open it.
CREATE TEMP TYPE track AS ENUM (SELECT t.id FROM store.tracks t ORDER BY t.track_key);

CREATE TEMP TABLE track_ids AS
SELECT t.track_key, t.id::track AS id FROM store.tracks t ORDER BY t.track_key;

-- Compressions are named, because trying them all takes longer than writing the rows.
CREATE TABLE store.recommendations (
    user_id VARCHAR USING COMPRESSION dictionary, rank INTEGER USING COMPRESSION bitpacking,
    track_id track USING COMPRESSION uncompressed, score SMALLINT USING COMPRESSION bitpacking,
    collaborative SMALLINT USING COMPRESSION bitpacking, content SMALLINT USING COMPRESSION bitpacking,
    source VARCHAR USING COMPRESSION dictionary,
    because_track_id track USING COMPRESSION uncompressed
);

INSERT INTO store.recommendations
SELECT
    r.user_id, r.rank, t.id,
    store.score_ticks(floor(r.weight * r.collaborative + (1 - r.weight) * r.content + 0.5e0), r.repeats),
    r.collaborative, r.content, store.source_name(r.source), b.id
FROM (
    SELECT
        l.user_id, s.weight, generate_subscripts(l.tracks, 1) AS rank, unnest(l.tracks) AS track,
        unnest(l.collaborative) AS collaborative, unnest(l.content) AS content,
        unnest(l.repeats) AS repeats, unnest(l.source) AS source,
        -- the lake has the reason as a position in the history, -1 for none; position 0 of a list is NULL
        unnest(list_select(l.history, list_transform(l.because, lambda x: x + 1))) AS because
    FROM read_parquet(getvariable('listeners')) l
    LEFT JOIN store.segments s ON s.segment = l.segment
) r
JOIN track_ids t ON t.track_key = r.track
LEFT JOIN track_ids b ON b.track_key = r.because;

DROP TABLE track_ids;
DROP TYPE track;
