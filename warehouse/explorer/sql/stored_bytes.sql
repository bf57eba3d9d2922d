-- Bytes of one stored table: all blocks that hold any of it, shared ones included.
SELECT count(DISTINCT s.block_id) * (SELECT d.block_size FROM pragma_database_size() d) AS bytes
FROM pragma_storage_info($stored) s
WHERE s.block_id >= 0
