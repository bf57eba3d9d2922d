-- The weight that did best with listeners beside the one in use, by segment in order of length.
SELECT m.* FROM measured_weights m LEFT JOIN segments s ON s.segment = m.segment
ORDER BY m.experiment, s.min_tracks
