-- Good records of tracks that the catalogue lacks.
SELECT track_id, count(*) AS records
FROM plays
WHERE reason IS NULL AND NOT EXISTS (FROM catalogue WHERE catalogue.track_id = plays.track_id)
    $known
GROUP BY track_id
ORDER BY records DESC, track_id;
