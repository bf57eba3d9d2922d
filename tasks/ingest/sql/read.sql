-- What a record of the history says; ids are strings whatever their type in the file.
SELECT $numbered $track AS track_id, $user AS user_id, $count AS count_text $more
FROM $source
