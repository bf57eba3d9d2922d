-- The release that answers.
SELECT r.release_id, r.schema_version, r.created_at, r.code_version, r.dataset FROM release r
