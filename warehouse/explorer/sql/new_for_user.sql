-- New tracks for a listener.
FROM new_for_user($subject, k := $k, weight := $weight) ORDER BY rank
