-- The release itself.
SELECT r.* FROM release r
