-- The most played tracks, overall or of a genre or tag.
SELECT p.* EXCLUDE (scope)
FROM popular_tracks p
WHERE p.scope = $scope AND p.rank > $after AND p.rank <= $last
ORDER BY p.rank
