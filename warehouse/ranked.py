"""The macros that rank: one SQL text per caller, with what is fixed for the release written out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

OF_LISTENER = """SELECT {each h}t.track_key AS track, t.id, t.artist_key
    FROM (
        SELECT {each q}unnest(l.history) AS track FROM store.listeners l{of each} WHERE l.id = {id}
    ) h
    JOIN store.tracks t ON t.track_key = h.track"""

OF_TRACKS = """SELECT t.track_key AS track, t.id, t.artist_key
    FROM store.tracks t WHERE t.id IN (SELECT unnest(track_ids::VARCHAR[]))"""

OF_TRACK = """SELECT {each q}t.track_key AS track, t.id, t.artist_key
    FROM store.tracks t{of each} WHERE t.id = {id}"""

LEARNED = """SELECT
        {each h}e.source, e.target,
        CASE WHEN e.is_content THEN 0 ELSE e.weight END::DOUBLE AS q,
        CASE WHEN e.is_content THEN e.weight ELSE 0 END::DOUBLE AS r
    FROM store.edges e JOIN heard h ON h.track = e.source"""

# every pair of the similarity is stored once
SIMILARITY = """SELECT {each h}e.source, e.target, e.weight::DOUBLE AS q, 0e0 AS r
    FROM store.similarity e JOIN heard h ON h.track = e.source
    UNION ALL
    SELECT {each h}e.target, e.source, e.weight::DOUBLE, 0e0
    FROM store.similarity e JOIN heard h ON h.track = e.target
    UNION ALL
    SELECT {each h}e.source, e.target, 0e0, e.weight::DOUBLE
    FROM store.edges e JOIN heard h ON h.track = e.source
    WHERE e.is_content"""

QUESTIONS = """questions AS MATERIALIZED (
    SELECT unnest(x.ids) AS id, generate_subscripts(x.ids, 1) AS question
    FROM (SELECT {asked}::VARCHAR[] AS ids) x
),
"""

FILTERS = ", t.genre, t.year, t.tags, t.listeners, t.is_cold"
"""What a list of candidates has beside the columns of every list."""


@dataclass(frozen=True)
class Ranked:
    """One macro: who is asked for, by which tables, and how far down."""

    name: str
    asked: str
    """The first argument: an id, or where there are many questions the list of their ids."""
    arguments: str
    """The others, with their defaults."""
    history: str
    edges: str = LEARNED
    k: int | None = None
    """Rows when no other number is asked for; None: all of them."""
    excludes: bool = True
    lets_heard_in: bool = False
    is_many: bool = False
    """Answers for every id of the list, with the position in it as first column ``question``."""


RECOMMEND_USER = Ranked(
    "recommend_user",
    "user_id",
    "k := 20, weight := NULL, exclude := [], heard := false",
    OF_LISTENER,
    k=20,
    lets_heard_in=True,
)
SIMILAR_TO = Ranked(
    "similar_to",
    "track_id",
    "k := 10, weight := NULL",
    OF_TRACK,
    SIMILARITY,
    k=10,
    excludes=False,
)
MACROS = (
    RECOMMEND_USER,
    Ranked(
        "recommend_tracks",
        "track_ids",
        "k := 20, weight := NULL, exclude := []",
        OF_TRACKS,
        k=20,
    ),
    SIMILAR_TO,
    Ranked(
        "user_candidates",
        "user_id",
        "weight := NULL, exclude := [], heard := false",
        OF_LISTENER,
        lets_heard_in=True,
    ),
    Ranked(
        "track_candidates",
        "track_id",
        "weight := NULL, exclude := []",
        OF_TRACK,
        SIMILARITY,
    ),
)
"""What a release holds."""

MANY = (
    replace(RECOMMEND_USER, name="recommend_users", asked="user_ids", is_many=True),
    replace(SIMILAR_TO, name="similar_to_each", asked="track_ids", is_many=True),
)
"""The same for many ids in one query, which is planned once: for the checks, not in the file."""


def ranked_macros(
    segments: Sequence[Mapping[str, Any]],
    gamma: float,
    artist_factors: Sequence[float],
    macros: Sequence[Ranked] = MACROS,
    *,
    temporary: bool = False,
) -> list[str]:
    """Return the statements that create the macros for one release.

    Temporary ones belong to a connection: a file that is open read-only may be asked through them.
    """
    fixed = {
        "kind": "TEMP MACRO" if temporary else "MACRO",
        "weight": _by_length(segments, "weight"),
        "gamma": _double(gamma),
        "factors": spelled(artist_factors),
    }
    return [_statement(macro, segments, fixed) for macro in macros]


def spelled(values: Sequence[float]) -> str:
    """Spell a list of floats in SQL, to the last bit."""
    return f"[{', '.join(_double(value) for value in values)}]"


def _statement(
    macro: Ranked, segments: Sequence[Mapping[str, Any]], fixed: Mapping[str, str]
) -> str:
    let_in = "coalesce(heard, false)" if macro.lets_heard_in else "false"
    # without ids to leave out this is known while planning, and no id is read
    not_left_out = (
        "(coalesce(len(exclude), 0) = 0 OR NOT list_contains(exclude::VARCHAR[], t.id))"
        if macro.excludes
        else "true"
    )
    is_whole = macro.k is None
    k = f"coalesce(k, {macro.k})"
    if is_whole:
        best, tail = "", "tail_of_candidates"
    elif macro.is_many:
        best = "QUALIFY row_number() OVER (PARTITION BY r.question ORDER BY place, r.track) <= {k}"
        tail = "tail_of_lists"
    else:
        best, tail = "ORDER BY place, r.track LIMIT greatest({k}, 0)", "tail_of_list"
    text = _sql("ranked")
    # what is filled in first may hold what is filled in later
    for name, value in {
        "questions": QUESTIONS if macro.is_many else "",
        "history": macro.history,
        "edges": macro.edges,
        "best": best,
        "tail": _sql(tail),
        "eligible": "CASE WHEN {let_in} THEN NOT s.is_untouched ELSE NOT s.is_heard END "
        "AND {not_left_out}",
        "rows": "" if is_whole else "QUALIFY rank <= {k}",
        "more": FILTERS if is_whole else "",
        "popularity": "0e0" if macro.edges == SIMILARITY else _by_length(segments, "popularity"),
        "arguments": f"{macro.asked}, {macro.arguments}",
        "asked": macro.asked,
        "id": "q.id" if macro.is_many else f"{macro.asked}::VARCHAR",
        "k": k,
        "let_in": let_in,
        "not_left_out": not_left_out,
        "name": macro.name,
        **fixed,
    }.items():
        text = text.replace(f"{{{name}}}", value)
    return _keep_apart(text, is_many=macro.is_many)


def _by_length(segments: Sequence[Mapping[str, Any]], column: str) -> str:
    """Return the setting for a history of ``a.n`` tracks."""
    *limited, last = sorted(segments, key=lambda segment: int(segment["min_tracks"]))
    cases = [
        f"WHEN a.n <= {int(segment['max_tracks'])} THEN {_double(segment[column])}"
        for segment in limited
    ]
    return f"CASE {' '.join(cases)} ELSE {_double(last[column])} END"


def _double(value: float) -> str:
    """Spell a float so that SQL reads the same double: only an exponent makes it no decimal."""
    text = repr(float(value))
    return text if "e" in text else f"{text}e0"


def _keep_apart(text: str, *, is_many: bool) -> str:
    """Fill in what keeps many questions apart; nothing where there is only one."""
    for pattern, value in (
        (r"\{each (\w+)\}", r"\1.question, "),
        (r"\{by (\w+)\}", r"GROUP BY \1.question"),
        (r"\{part (\w+)\}", r"PARTITION BY \1.question "),
        (r"\{same (\w+) (\w+)\}", r" AND \1.question = \2.question"),
        (r"\{of each\}", " CROSS JOIN questions q"),
    ):
        text = re.sub(pattern, value if is_many else "", text)
    return text


def _sql(name: str) -> str:
    return files("warehouse").joinpath(f"macros/{name}.sql").read_text()
