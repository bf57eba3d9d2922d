-- Why two tracks are close: both scores, what they share, and one readable sentence.
CREATE MACRO explain(track_a, track_b) AS TABLE
WITH pair AS (
    SELECT a AS a, b AS b
    FROM store.tracks a, store.tracks b
    WHERE a.id = track_a::VARCHAR AND b.id = track_b::VARCHAR
),
facts AS (
    SELECT
        p.a.id AS id_a, p.b.id AS id_b,
        coalesce((SELECT e.weight / 20000 FROM store.similarity e
                  WHERE e.source = p.a.track_key AND e.target = p.b.track_key), 0) AS collaborative,
        coalesce((SELECT e.weight / 20000 FROM store.content e
                  WHERE e.source = p.a.track_key AND e.target = p.b.track_key), 0) AS content,
        list_sort(list_intersect(coalesce(p.a.tags, []), coalesce(p.b.tags, []))) AS shared_tags,
        coalesce(p.a.artist_key = p.b.artist_key, false) AS same_artist,
        coalesce(p.a.genre = p.b.genre, false) AS same_genre,
        (SELECT list(f.feature ORDER BY f.position)
         FROM store.track_features f
         JOIN store.track_features g ON g.feature = f.feature
         WHERE f.track_key = p.a.track_key AND g.track_key = p.b.track_key
           AND abs(f.z - g.z) <= 0.35) AS agreeing
    FROM pair p
)
SELECT
    f.id_a AS track_a, f.id_b AS track_b,
    round(f.collaborative, 4) AS collaborative_score, round(f.content, 4) AS content_score,
    f.same_artist, f.shared_tags, coalesce(f.agreeing, []::VARCHAR[]) AS similar_features,
    coalesce(nullif(concat_ws('; ',
        CASE WHEN f.same_artist THEN 'same artist' END,
        CASE WHEN f.collaborative >= 0.05 THEN 'often played by the same listeners' END,
        CASE WHEN len(f.shared_tags) > 0 THEN 'tags ' || array_to_string(f.shared_tags[:4], ', ') END,
        CASE WHEN f.same_genre AND len(f.shared_tags) = 0 THEN 'same genre' END,
        CASE WHEN len(f.agreeing) > 0 THEN 'similar ' || array_to_string(f.agreeing[:3], ', ') END
    ), ''), 'nothing known in common') AS reason
FROM facts f;
