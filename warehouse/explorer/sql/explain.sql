-- Why two tracks are close.
SELECT
    e.reason, e.collaborative_score, e.content_score, e.shared_tags, e.similar_features
FROM explain($track_a, $track_b) e
