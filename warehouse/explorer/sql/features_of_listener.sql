-- Features of the tracks that a listener played: the median of each.
SELECT median(COLUMNS(*))
FROM (
    SELECT {columns} FROM tracks t
    WHERE t.track_id IN (SELECT l.track_id FROM listens l WHERE l.user_id = $of)
)
