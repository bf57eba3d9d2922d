-- The release.
SELECT r.* FROM release r
