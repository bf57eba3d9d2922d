-- How large the catalogue is, how many listeners there are, and how many tracks any list shows.
SELECT
    (SELECT count(*) FROM tracks) AS tracks,
    (SELECT count(*) FROM users) AS listeners,
    (SELECT count(DISTINCT r.track_id) FROM user_recommendations r) AS shown
