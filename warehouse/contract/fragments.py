"""Fragments of `macros/ranked.sql` and `macros/ranked_many.sql`: what differs between macros."""

ID = {"listener": "store.single_id(user_id)", "track": "store.single_id(track_id)"}
"""The id that a macro for one history is given."""

HISTORY = {
    "listener": """SELECT t.track_key AS track, t.id, t.artist_key{strength}
    FROM (SELECT unnest(l.history) AS track{strengths} FROM store.listeners l WHERE l.id = {id}) h
    JOIN store.tracks t ON t.track_key = h.track""",
    "tracks": """SELECT t.track_key AS track, t.id, t.artist_key
    FROM store.tracks t WHERE t.id IN (SELECT unnest(track_ids::VARCHAR[]))""",
    "track": """SELECT t.track_key AS track, t.id, t.artist_key
    FROM store.tracks t WHERE t.id = {id}""",
}
"""The tracks of the history."""

_WITH_PRIOR = """WHEN n.no_history THEN n.popularity
                        WHEN n.popularity = 0 THEN {gamma} * n.d1
                        WHEN n.c_max <= 0 THEN ({gamma} * n.d1 + n.p * n.popularity) / (1 + n.p)
                        ELSE (sqrt(least(1, greatest(0, n.c / n.c_max))) + n.p * n.popularity)
                            / (1 + n.p)"""

_WITHOUT_PRIOR = """WHEN n.popularity = 0 OR n.c_max <= 0 THEN {gamma} * n.d1
                        ELSE sqrt(least(1, greatest(0, n.c / n.c_max)))"""

_BY_WEIGHTS = {
    "no_history": "a.n = 0 AS no_history, ",
    "length": """count(*) FILTER (WHERE s.is_heard) AS n,
            """,
    "popularity": ",\n        {prior_strength} AS p",
    "prior": ", a.p, a.no_history",
    "collaborative": _WITH_PRIOR,
    "because": "r.because",
    "same_artist": "k.because",
    "because_id": "h.id",
}

LEARNED = {
    **_BY_WEIGHTS,
    "edges": """edges AS MATERIALIZED (
    SELECT
        e.source, e.target,
        CASE WHEN e.is_content THEN 0 ELSE e.weight END::DOUBLE{times} AS q,
        CASE WHEN e.is_content THEN e.weight ELSE 0 END::DOUBLE{times} AS r
    FROM store.edges e JOIN heard h ON h.track = e.source
),
""",
    "summed": "SELECT e.target, e.q, e.r, false AS heard FROM edges e",
    # always touched; without a prior their blend is 0 and they drop out
    "prior_candidates": """
        UNION ALL
        SELECT p.track_key, 0, 0, false FROM store.prior_candidates p""",
    "reasons": "\n{reasons_of_one}",
    "because_join": "\nLEFT JOIN heard h ON h.track = r.because",
}
"""A history of any length, by learned weights; the reason is its track with the largest part."""

LEARNED_OF_MANY = {
    **_BY_WEIGHTS,
    # joined once for the sums and once for the reasons: that takes less than to keep the pairs
    "edges": """edges AS NOT MATERIALIZED (
    SELECT
        h.question, e.source, e.target,
        CASE WHEN e.is_content THEN 0 ELSE e.weight END::DOUBLE{times} AS q,
        CASE WHEN e.is_content THEN e.weight ELSE 0 END::DOUBLE{times} AS r
    FROM store.edges e JOIN heard h ON h.track = e.source
),
""",
    "summed": "SELECT e.question, e.target, e.q, e.r, false AS heard FROM edges e",
    "prior_candidates": """
        UNION ALL
        SELECT q.question, p.track_key, 0, 0, false
        FROM store.prior_candidates p CROSS JOIN questions q""",
    "reasons": "\n{reasons_of_many}",
    "because_join": "\nLEFT JOIN heard h ON h.track = r.because AND h.question = r.question",
}

_BY_SIMILARITY = {
    "edges": "",
    "no_history": "",
    "length": "",
    "popularity": "",
    "prior": "",
    "prior_candidates": "",
    "collaborative": _WITHOUT_PRIOR,
    "because": "CASE WHEN c.d > 0 OR (c.c > 0 AND c.popularity > 0) THEN true END",
    "reasons": "",
    "same_artist": "CASE WHEN k.because IS NOT NULL THEN true END",
}

SIMILARITY = {
    **_BY_SIMILARITY,
    # every pair of the similarity is stored once
    "summed": """SELECT e.target, e.weight::DOUBLE AS q, 0 AS r, false AS heard
        FROM store.similarity e JOIN heard h ON h.track = e.source
        UNION ALL
        SELECT e.source, e.weight::DOUBLE, 0, false
        FROM store.similarity e JOIN heard h ON h.track = e.target
        UNION ALL
        SELECT e.target, 0, e.weight::DOUBLE, false
        FROM store.edges e JOIN heard h ON h.track = e.source
        WHERE e.is_content""",
    "because_id": "CASE WHEN r.because THEN track_id::VARCHAR END",
    "because_join": "",
}
"""The neighbours of one track, without a prior; whatever has a reason has that track."""

SIMILARITY_OF_MANY = {
    **_BY_SIMILARITY,
    "summed": """SELECT h.question, e.target, e.weight::DOUBLE AS q, 0 AS r, false AS heard
        FROM store.similarity e JOIN heard h ON h.track = e.source
        UNION ALL
        SELECT h.question, e.source, e.weight::DOUBLE, 0, false
        FROM store.similarity e JOIN heard h ON h.track = e.target
        UNION ALL
        SELECT h.question, e.target, 0, e.weight::DOUBLE, false
        FROM store.edges e JOIN heard h ON h.track = e.source
        WHERE e.is_content""",
    "because_id": "CASE WHEN r.because THEN g.track_id END",
    "because_join": "",
}

GIVEN = {
    "listener": """SELECT
        x.position, x.user_id, l.history{with_strengths},
        min(x.position) OVER (PARTITION BY l.id) AS question,
        {is_default} AND l.id IS NOT NULL AS is_stored
    FROM (
        SELECT unnest(a.ids) AS user_id, generate_subscripts(a.ids, 1) AS position
        FROM (SELECT user_ids::VARCHAR[] AS ids) a
    ) x
    LEFT JOIN store.listeners l ON l.id = x.user_id""",
    "track": """SELECT
        x.position, t.id AS track_id, t.track_key AS history,
        min(x.position) OVER (PARTITION BY t.id) AS question,
        {is_default} AS is_stored
    FROM (
        SELECT unnest(a.ids) AS id, generate_subscripts(a.ids, 1) AS position
        FROM (SELECT track_ids::VARCHAR[] AS ids) a
    ) x
    JOIN store.tracks t ON t.id = x.id""",
    "tracks": """SELECT x.position, x.history, x.position AS question, false AS is_stored
    FROM (
        SELECT unnest(a.histories) AS history, generate_subscripts(a.histories, 1) AS position
        FROM (SELECT lists::VARCHAR[][] AS histories) a
    ) x""",
}
"""Each id or list of a batch: its place, its history, the question that it is part of (the first
place with this history), and whether its list is read."""

# DISTINCT: DuckDB 1.3 works a table expression out once only if there is an aggregate in it
HISTORIES = {
    "listener": """SELECT DISTINCT h.question, t.track_key AS track, t.id, t.artist_key{strength}
    FROM (SELECT q.question, unnest(q.history) AS track{strengths} FROM questions q) h
    JOIN store.tracks t ON t.track_key = h.track""",
    "tracks": """SELECT DISTINCT h.question, t.track_key AS track, t.id, t.artist_key
    FROM (SELECT q.question, unnest(q.history) AS id FROM questions q) h
    JOIN store.tracks t ON t.id = h.id""",
    "track": """SELECT DISTINCT q.question, t.track_key AS track, t.id, t.artist_key
    FROM questions q JOIN store.tracks t ON t.track_key = q.history""",
}
"""The tracks of each history."""

STORED = {
    "listener": """
UNION ALL
SELECT
    g.position, g.user_id, s.rank, s.track_id, t.name, t.artist,
    s.score, s.collaborative_score, s.content_score, s.source, s.because_track_id
FROM given g
JOIN user_recommendations s ON s.user_id = g.user_id
JOIN store.tracks t ON t.id = s.track_id
WHERE g.is_stored AND s.rank <= {k}""",
    "track": """
UNION ALL
SELECT
    g.position, g.track_id, s.rank, s.similar_track_id, t.name, t.artist,
    s.score, s.collaborative_score, s.content_score, s.source,
    CASE WHEN s.source NOT IN ('popular', 'catalogue') THEN s.track_id END
FROM given g
JOIN similar_tracks s ON s.track_id = g.track_id
JOIN store.tracks t ON t.id = s.similar_track_id
WHERE g.is_stored AND s.rank <= {k}""",
}
"""The lists that are read."""

ASKED_BY = {"listener": "g.user_id, ", "track": "g.track_id, ", "tracks": ""}
"""What a row of a batch has beside its place."""

DISLIKES = {
    "dislikes": """disliked AS MATERIALIZED (
    SELECT d.track_key AS track FROM store.dislikes d WHERE d.id = {id}
),
""",
    "candidate_not_disliked": """
                    ANTI JOIN disliked d ON d.track = s.track""",
    "filler_not_disliked": """
ANTI JOIN disliked d ON d.track = t.track_key""",
    "disliked_list": """,
        (SELECT list(d.track) FROM disliked d) AS disliked""",
    "not_in_disliked_list": """
  AND coalesce(NOT list_contains(f.disliked, t.track_key), true)""",
}
"""What a listener dislikes, which is in no list of theirs."""

DISLIKES_OF_MANY = {
    # an aggregate, for the reason at HISTORIES
    "dislikes": """disliked AS MATERIALIZED (
    SELECT DISTINCT g.question, d.track_key AS track
    FROM given g JOIN store.dislikes d ON d.id = g.user_id
    WHERE g.position = g.question AND NOT g.is_stored
),
""",
    "candidate_not_disliked": """
                    ANTI JOIN disliked d ON d.track = s.track AND d.question = s.question""",
    "filler_not_disliked": """
ANTI JOIN disliked d ON d.track = t.track_key AND d.question = u.question""",
}
"""The same for the listeners of a batch."""

NO_DISLIKES = dict.fromkeys(DISLIKES, "")

STRENGTHS = {
    "strengths": ", unnest(l.strengths) AS strength",
    "strength": ", h.strength",
    "times": " * h.strength",
}
"""How much each track of a listener's history counts: what its edges are multiplied by."""

STRENGTHS_OF_MANY = {
    **STRENGTHS,
    "with_strengths": ", l.strengths",
    "handed_on": ", g.strengths",
    "strengths": ", unnest(q.strengths) AS strength",
}
"""The same for the listeners of a batch."""

ALL_EQUAL = dict.fromkeys(STRENGTHS_OF_MANY, "")
"""Liked tracks count 1 each, and so do all where no half-life was chosen."""

FILTERS = ", t.genre, t.year, t.tags, t.listeners, t.is_cold, t.spotify_preview_url"
"""What a list of candidates has beside the columns of every list."""

CAPPED = """
    -- the best of each artist, by the blend before it is marked down
    WHERE per_artist IS NULL OR r.artist_key IS NULL
       OR r.repeats + {artist_allowance} < per_artist"""

CAP_OF_FILLERS = """
QUALIFY per_artist IS NULL OR t.artist_key IS NULL
    OR len(list_filter(f.listed_artists, lambda a: a = t.artist_key))
        + row_number() OVER (PARTITION BY t.artist_key ORDER BY t.listener_rank) <= per_artist"""

ARTISTS_LEFT_OUT = """
          AND (coalesce(len(exclude_artists), 0) = 0 OR NOT coalesce(
              list_has_any(list_append(t.artists, t.artist), exclude_artists::VARCHAR[]), false))
          AND (NOT coalesce(new_artists, false) OR NOT coalesce(
              list_contains((SELECT list(h.artist_key) FROM heard h), t.artist_key), false))"""

NOT_VARIED = {"listed": "{k}", "varied": "", "points": "r.place", "in_order": "candidates"}
"""The order is that of the scores."""

_VARIED = {
    "listed": "CASE WHEN {is_varied} THEN greatest({k}, {variety_pool}) ELSE {k} END",
    "points": "r.place % {turn_digits}",
    # the name is known while planning, and nothing else is planned
    "in_order": "query_table(CASE WHEN {is_varied} THEN 'varied' ELSE 'candidates' END)",
    "is_varied": "(diversity::DOUBLE > 0 OR calibrated::DOUBLE > 0)",
}

VARIED = {**_VARIED, "varied": ",\n{variety_of_one}"}
"""`diversity` and `calibrated` decide along."""

LOOKED_AT = "least(1000, 10 * greatest(1, {listed}))"
"""How many of the best tracks are searched for as many artists as the list has rows."""

VARIED_OF_MANY = {**_VARIED, "varied": ",\n{variety_of_many}"}
"""The same for many histories."""
