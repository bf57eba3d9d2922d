-- Why two tracks are close: both scores, what they share, and one readable sentence.
CREATE MACRO explain(track_a, track_b) AS TABLE
WITH pair AS MATERIALIZED (
    SELECT
        a.id AS id_a, b.id AS id_b, a.track_key AS key_a, b.track_key AS key_b,
        list_sort(list_intersect(coalesce(a.tags, []), coalesce(b.tags, []))) AS shared_tags,
        coalesce(a.artist_key = b.artist_key, false) AS same_artist,
        coalesce(a.genre = b.genre, false) AS same_genre,
        list_filter({labels}, lambda label, i: abs(a.features[i] - b.features[i]) <= {close}[i]) AS agreeing
    FROM (
        SELECT t.id, t.track_key, t.tags, t.artist_key, t.genre, {features} AS features
        FROM store.tracks t WHERE t.id = store.single_id(track_a)
    ) a
    CROSS JOIN (
        SELECT t.id, t.track_key, t.tags, t.artist_key, t.genre, {features} AS features
        FROM store.tracks t WHERE t.id = store.single_id(track_b)
    ) b
),
scores AS (
    SELECT sum(e.collaborative)::BIGINT / {weight_scale} AS collaborative, sum(e.content)::BIGINT / {weight_scale} AS content
    FROM (
        SELECT e.weight AS collaborative, 0 AS content
        FROM store.similarity e
        JOIN pair p ON e.source = least(p.key_a, p.key_b) AND e.target = greatest(p.key_a, p.key_b)
        UNION ALL
        SELECT 0 AS collaborative, e.weight AS content
        FROM store.edges e JOIN pair p ON e.source = p.key_a AND e.target = p.key_b
        WHERE e.is_content
        UNION ALL
        SELECT 0, 0
    ) e
)
SELECT
    p.id_a AS track_a, p.id_b AS track_b,
    round(s.collaborative, 4) AS collaborative_score, round(s.content, 4) AS content_score,
    p.same_artist, p.shared_tags, p.agreeing AS similar_features,
    coalesce(nullif(concat_ws('; ',
        CASE WHEN p.same_artist THEN 'same artist' END,
        CASE WHEN s.collaborative >= 0.05 THEN 'often played by the same listeners' END,
        CASE WHEN len(p.shared_tags) > 0 THEN 'tags ' || array_to_string(p.shared_tags[:4], ', ') END,
        CASE WHEN p.same_genre AND len(p.shared_tags) = 0 THEN 'same genre' END,
        CASE WHEN len(p.agreeing) > 0 THEN 'similar ' || array_to_string(p.agreeing[:3], ', ') END
    ), ''), 'nothing known in common') AS reason
FROM pair p, scores s;
