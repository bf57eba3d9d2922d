-- How large the catalogue is, how many listeners there are, and how many tracks anyone is shown.
SELECT
    (SELECT count(*) FROM store.tracks) AS tracks,
    (SELECT count(*) FROM store.listeners) AS listeners,
    (SELECT count(DISTINCT l.track_key)
     FROM (SELECT unnest(l.tracks) AS track_key FROM store.listeners l) l) AS shown
