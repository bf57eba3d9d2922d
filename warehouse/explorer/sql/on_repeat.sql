-- What a listener plays now.
FROM on_repeat($subject, k := $k) ORDER BY rank
