-- A listener's recommendations, in another order than that of the scores.
FROM recommend_user(
    $subject, k := $k, weight := $weight, heard := $heard, diversity := $diversity, calibrated := $calibrated
) ORDER BY rank
