-- What a listener plays now, loved once, and would like of what is new; and what rises. They rest on the
-- times of plays and have no rows where the data has none. docs/times.md defines them.

-- How present a track is to a listener: the sum over its plays of 1 / (t √t), where t is the age of the play
-- in days and 1 on the day of the listener's newest play. All plays but the last count as spread evenly
-- between the first and the last (Petrov 2006). `ago` and `since` are the ages of both, less one.
CREATE MACRO store.presence(plays, ago, since) AS
1 / ((ago + 1) * sqrt(ago + 1))
    + 2 * (plays - 1) / (sqrt((since + 1) * (ago + 1)) * (sqrt(since + 1) + sqrt(ago + 1)));

-- The history of a listener with its days, without tracks whose times are not known.
CREATE MACRO store.timed_history(user_id) AS TABLE
SELECT
    h.track, h.plays, h.average, h.newest, h.last_days,
    store.presence(h.plays::DOUBLE, h.last_days::DOUBLE, h.first_days::DOUBLE) AS presence
FROM (
    SELECT
        unnest(l.history) AS track, unnest(l.history_plays) AS plays,
        unnest(l.last_days) AS last_days, unnest(l.first_days) AS first_days,
        l.plays / l.tracks_played AS average, l.newest
    FROM store.listeners l WHERE l.id = store.single_id(user_id)
) h
WHERE h.last_days IS NOT NULL;

CREATE MACRO on_repeat(user_id, k := 20, days := 28, exclude := []) AS TABLE
SELECT
    r.rank, r.track_id, r.name, r.artist, round(sqrt(r.presence) / (1 + sqrt(r.presence)), 4) AS score,
    r.plays, r.last_played, 'played ' || r.plays || ' times, last on ' || r.last_played AS reason
FROM (
    SELECT
        row_number() OVER (ORDER BY h.presence DESC, h.track)::INTEGER AS rank,
        t.id AS track_id, t.name, t.artist, h.presence, h.plays,
        (h.newest - h.last_days::INTEGER)::DATE AS last_played
    FROM store.timed_history(user_id) h
    JOIN store.tracks t ON t.track_key = h.track
    WHERE h.plays > 1 AND h.last_days < coalesce(days, 28)
      AND (coalesce(len(exclude), 0) = 0 OR NOT list_contains(exclude::VARCHAR[], t.id))
) r
WHERE r.rank <= coalesce(k, 20)
ORDER BY r.rank;

CREATE MACRO rediscover(user_id, k := 20, days := 90, exclude := []) AS TABLE
SELECT
    r.rank, r.track_id, r.name, r.artist, round(sqrt(r.presence) / (1 + sqrt(r.presence)), 4) AS score,
    r.plays, r.last_played, 'played ' || r.plays || ' times, not since ' || r.last_played AS reason
FROM (
    SELECT
        row_number() OVER (ORDER BY h.presence DESC, h.track)::INTEGER AS rank,
        t.id AS track_id, t.name, t.artist, h.presence, h.plays,
        (h.newest - h.last_days::INTEGER)::DATE AS last_played
    FROM store.timed_history(user_id) h
    JOIN store.tracks t ON t.track_key = h.track
    WHERE h.plays > 1 AND h.plays > h.average AND h.last_days >= coalesce(days, 90)
      AND (coalesce(len(exclude), 0) = 0 OR NOT list_contains(exclude::VARCHAR[], t.id))
) r
WHERE r.rank <= coalesce(k, 20)
ORDER BY r.rank;

CREATE MACRO trending(scope, k := 20, exclude := []) AS TABLE
SELECT
    r.rank, r.track_id, r.name, r.artist, r.score, r.new_listeners, r.usual_listeners,
    r.new_listeners || ' new listeners in ' || r.days || ' days, where ' || r.usual_listeners || ' are usual' AS reason
FROM (
    SELECT
        row_number() OVER (ORDER BY s.score DESC, s.new_listeners DESC, s.track_key)::INTEGER AS rank,
        t.id AS track_id, t.name, t.artist, s.score, s.new_listeners, s.usual_listeners, s.days
    FROM store.trending s
    JOIN store.tracks t ON t.track_key = s.track_key
    WHERE (coalesce(scope::VARCHAR, 'all') = 'all' OR t.genre = scope::VARCHAR OR list_contains(t.tags, scope::VARCHAR))
      AND (coalesce(len(exclude), 0) = 0 OR NOT list_contains(exclude::VARCHAR[], t.id))
) r
WHERE r.rank <= coalesce(k, 20)
ORDER BY r.rank;

-- The listener's candidates that are new, without those that nothing but popularity put there. They are
-- ordered anew: the artist factor of the whole list would mark down what a favourite artist brings out, for
-- all the tracks that stand above, and new tracks have too few listeners for the popularity prior to tell them
-- apart.
CREATE MACRO new_for_user(user_id, k := 20, weight := NULL, days := 28, exclude := []) AS TABLE
SELECT
    r.rank, r.track_id, r.name, r.artist, r.score, r.collaborative_score, r.content_score, r.source,
    r.because_track_id, r.new_since,
    'new since ' || r.new_since || CASE
        WHEN b.artist = r.artist THEN ', by an artist in the history'
        ELSE ', close to ' || coalesce(b.name, 'the history')
    END AS reason
FROM (
    SELECT
        row_number() OVER (ORDER BY m.suited + m.popular DESC, m.listeners DESC, m.track_id)::INTEGER AS rank,
        m.track_id, m.name, m.artist, floor((m.suited + m.popular) / 2 + 0.5e0) / {ticks} AS score,
        m.collaborative_score, m.content_score, m.source, m.because_track_id, m.day AS new_since
    FROM (
        SELECT
            x.*,
            floor({ticks} * (x.w * x.collaborative_score + (1 - x.w) * x.content_score) + 0.5e0) AS suited,
            floor({ticks} * sqrt(x.listeners / greatest(1, max(x.listeners) OVER ())) + 0.5e0) AS popular
        FROM (
            SELECT
                c.track_id, c.name, c.artist, c.collaborative_score, c.content_score, c.source,
                c.because_track_id, c.listeners, n.day,
                least(1, greatest(0, coalesce(
                    weight::DOUBLE,
                    (SELECT l.weight FROM store.listeners l WHERE l.id = store.single_id(user_id)), 1
                ))) AS w
            FROM user_candidates(user_id, weight := weight, exclude := exclude) c
            JOIN store.new_tracks n ON n.id = c.track_id
            WHERE n.age < coalesce(days, 28)
        ) x
    ) m
    WHERE m.source NOT IN ('popular', 'catalogue')
) r
LEFT JOIN store.tracks b ON b.id = r.because_track_id
WHERE r.rank <= coalesce(k, 20)
ORDER BY r.rank;
