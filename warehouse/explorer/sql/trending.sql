-- Tracks that win new listeners beyond their usual level.
FROM trending('all', k := $k) ORDER BY rank
