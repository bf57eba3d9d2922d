-- Recommendations for many listeners, in the order of the ids.
FROM recommend_users(
    $user_ids::VARCHAR[], k := $k, weight := $weight, exclude := $exclude::VARCHAR[], heard := $heard{variety}
)
