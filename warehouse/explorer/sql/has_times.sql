-- Whether this release knows when anybody played anything.
SELECT count(l.newest) > 0 AS present FROM store.listeners l
