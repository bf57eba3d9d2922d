-- Features of a track.
SELECT {columns} FROM tracks WHERE track_id = $of
