-- Listeners by history length, with the defaults for each length.
FROM segments
