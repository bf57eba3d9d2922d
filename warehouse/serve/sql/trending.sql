-- Tracks that win new listeners beyond their usual level.
SELECT r.*
FROM trending($scope, k := $last, exclude := $exclude::VARCHAR[]) r
WHERE r.rank > $after
ORDER BY r.rank
