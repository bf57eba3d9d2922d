-- What tracks and listeners say of their plays is what the interactions hold.
-- stop: nothing
WITH interaction_totals AS (
    SELECT count(*) AS pairs, sum(plays) AS plays FROM interactions
),
track_totals AS (
    SELECT sum(listeners) AS pairs, sum(plays) AS plays FROM tracks
),
user_totals AS (
    SELECT sum(tracks_played) AS pairs, sum(plays) AS plays FROM users
)
SELECT 'totals of tracks, users and interactions' AS offence, 1 AS rows
FROM interaction_totals, track_totals, user_totals
WHERE track_totals.pairs <> interaction_totals.pairs
    OR user_totals.pairs <> interaction_totals.pairs
    OR track_totals.plays <> interaction_totals.plays
    OR user_totals.plays <> interaction_totals.plays;
