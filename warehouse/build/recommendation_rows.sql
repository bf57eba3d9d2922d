-- Rows of store.recommendations, in the order of the lists: those of all listeners, or of some.
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
    FROM {lists} l
    LEFT JOIN store.segments s ON s.segment = l.segment
) r
JOIN track_ids t ON t.track_key = r.track
LEFT JOIN track_ids b ON b.track_key = r.because;

DROP TABLE track_ids;
DROP TYPE track;
