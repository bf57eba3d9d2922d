-- Lists in which the order of the rows counts. The best tracks for the given ones are brought into one
-- row of lists, and a fold over k steps appends one place after the other: what is best after the row
-- before. Position 1 of the lists is the last given track, which the first row follows.

-- In how many bits of sound two tracks differ.
CREATE MACRO store.sound_difference(a, b) AS
bit_count(xor(struct_extract(a, 'sound_1'), struct_extract(b, 'sound_1')))::INTEGER
+ bit_count(xor(struct_extract(a, 'sound_2'), struct_extract(b, 'sound_2')));

-- How unlike two tracks are, in bits: sound and taste weigh the same; without plays, sound counts for both.
CREATE MACRO store.difference(a, b) AS
coalesce(
    store.sound_difference(a, b) + coalesce(
        2 * bit_count(xor(struct_extract(a, 'taste'), struct_extract(b, 'taste')))::INTEGER,
        store.sound_difference(a, b)
    ),
    0
);

-- Artists and signatures of the last given track that is known; NULL: none is.
CREATE MACRO store.last_given(track_ids) AS TABLE
SELECT
    arg_max(s.artists, g.position) AS artists,
    arg_max({
        'sound_1': s.sound_1, 'sound_2': s.sound_2, 'taste': CASE WHEN s.is_played THEN s.taste_1 END
    }, g.position) AS bits
FROM (
    SELECT unnest(a.ids) AS id, generate_subscripts(a.ids, 1) AS position
    FROM (SELECT track_ids::VARCHAR[] AS ids) a
) g
JOIN store.tracks t ON t.id = g.id
JOIN store.signatures s ON s.track_key = t.track_key;

CREATE MACRO continue_playlist(track_ids, k := 20, weight := NULL, exclude := [], per_artist := NULL) AS TABLE
SELECT
    q.rank, q.found.track_id AS track_id, q.found.name AS name, q.found.artist AS artist,
    q.found.score AS score, q.found.collaborative_score AS collaborative_score,
    q.found.content_score AS content_score, q.found.source AS source,
    q.found.because_track_id AS because_track_id
FROM (
    SELECT generate_subscripts(o.ordered, 1)::INTEGER AS rank, unnest(o.ordered) AS found
    FROM (
        SELECT list_transform(
            list_filter(w.places[2:], lambda place: place IS NOT NULL), lambda place: w.tracks[place]
        ) AS ordered
        FROM (
            SELECT
                p.tracks,
                -- the best that is not taken and has no artist of the row before; NULL: none is left
                list_reduce(
                    list_transform(range(least(greatest(coalesce(k, 20), 0), len(p.tracks) - 1) + 1), lambda step: [1::BIGINT]),
                    lambda taken, step: list_append(taken, list_filter(
                        range(2, len(p.tracks) + 1),
                        lambda place: NOT list_contains(taken, place)
                            AND NOT list_has_any(p.artists[place], p.artists[taken[-1]])
                    )[1])
                ) AS places
            FROM (
                SELECT
                    list_prepend(NULL, list({
                        'track_id': r.track_id, 'name': r.name, 'artist': r.artist, 'score': r.score,
                        'collaborative_score': r.collaborative_score, 'content_score': r.content_score,
                        'source': r.source, 'because_track_id': r.because_track_id
                    } ORDER BY r.rank)) AS tracks,
                    list_prepend(coalesce(any_value(l.artists), []), list(s.artists ORDER BY r.rank)) AS artists
                FROM recommend_tracks(
                    track_ids, k := {sequence_pool}, weight := weight, exclude := exclude, per_artist := per_artist
                ) r
                JOIN store.tracks t ON t.id = r.track_id
                JOIN store.signatures s ON s.track_key = t.track_key
                CROSS JOIN store.last_given(track_ids) l
            ) p
        ) w
    ) o
) q
ORDER BY q.rank;

CREATE MACRO radio(track_ids, seed := 0, k := 50, weight := NULL, exclude := [], per_artist := 3) AS TABLE
SELECT
    q.rank, q.found.track_id AS track_id, q.found.name AS name, q.found.artist AS artist,
    q.found.score AS score, q.found.collaborative_score AS collaborative_score,
    q.found.content_score AS content_score, q.found.source AS source,
    q.found.because_track_id AS because_track_id
FROM (
    SELECT generate_subscripts(o.ordered, 1)::INTEGER AS rank, unnest(o.ordered) AS found
    FROM (
        SELECT list_transform(
            list_filter(w.places[2:], lambda place: place IS NOT NULL), lambda place: w.tracks[place]
        ) AS ordered
        FROM (
            SELECT
                p.tracks,
                -- the largest sum of appeal and likeness to the row before; the place is in the last
                -- digits of the number, the lower the better
                list_reduce(
                    list_transform(range(least(greatest(coalesce(k, 50), 0), len(p.tracks) - 1) + 1), lambda step: [1::BIGINT]),
                    lambda taken, step: list_append(taken, 1000 - list_max(list_transform(
                        list_filter(
                            range(2, len(p.tracks) + 1),
                            lambda place: NOT list_contains(taken, place)
                                AND NOT list_has_any(p.artists[place], p.artists[taken[-1]])
                        ),
                        lambda place: 1000 * (p.appeal[place] - store.difference(p.bits[place], p.bits[taken[-1]]))
                            + 1000 - place
                    )) % 1000)
                ) AS places
            FROM (
                SELECT
                    list_prepend(NULL, list({
                        'track_id': r.track_id, 'name': r.name, 'artist': r.artist, 'score': r.score,
                        'collaborative_score': r.collaborative_score, 'content_score': r.content_score,
                        'source': r.source, 'because_track_id': r.because_track_id
                    } ORDER BY r.rank)) AS tracks,
                    list_prepend(coalesce(any_value(l.artists), []), list(s.artists ORDER BY r.rank)) AS artists,
                    list_prepend(any_value(l.bits), list({
                        'sound_1': s.sound_1, 'sound_2': s.sound_2, 'taste': CASE WHEN s.is_played THEN s.taste_1 END
                    } ORDER BY r.rank)) AS bits,
                    list_prepend(0, list(
                        10000 + floor({radio_score} * r.score + {radio_chance} * store.bucket(r.track_id, seed))::BIGINT
                        ORDER BY r.rank
                    )) AS appeal
                FROM recommend_tracks(
                    track_ids, k := {radio_pool}, weight := weight, exclude := exclude, per_artist := per_artist
                ) r
                JOIN store.tracks t ON t.id = r.track_id
                JOIN store.signatures s ON s.track_key = t.track_key
                CROSS JOIN store.last_given(track_ids) l
            ) p
        ) w
    ) o
) q
ORDER BY q.rank;
