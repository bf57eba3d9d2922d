-- Recommendations for a few liked tracks, in another order than that of the scores.
FROM recommend_tracks(
    $subject, k := $k, weight := $weight, diversity := $diversity, calibrated := $calibrated
) ORDER BY rank
