"""The macros that rank: one SQL text per caller, with what is fixed for the release written out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from warehouse.contract.sql import contract_sql
from warehouse.statements import double, doubles, statement, text_literal

OF_LISTENER = """SELECT {each h}t.track_key AS track, t.id, t.artist_key
    FROM (
        SELECT {each q}unnest(l.history) AS track FROM store.listeners l{of each} WHERE l.id = {id}
    ) h
    JOIN store.tracks t ON t.track_key = h.track"""

OF_TRACKS = """SELECT t.track_key AS track, t.id, t.artist_key
    FROM store.tracks t WHERE t.id IN (SELECT unnest(track_ids::VARCHAR[]))"""

OF_TRACK = """SELECT {each q}t.track_key AS track, t.id, t.artist_key
    FROM store.tracks t{of each} WHERE t.id = {id}"""

LEARNED = """edges AS MATERIALIZED (
    SELECT
        {each h}e.source, e.target,
        CASE WHEN e.is_content THEN 0 ELSE e.weight END::DOUBLE AS q,
        CASE WHEN e.is_content THEN e.weight ELSE 0 END::DOUBLE AS r
    FROM store.edges e JOIN heard h ON h.track = e.source
),
"""

OF_EDGES = "SELECT {each e}e.target, e.q, e.r, false AS heard FROM edges e"

# every pair of the similarity is stored once
SIMILARITY = """SELECT {each h}e.target, e.weight::DOUBLE AS q, 0 AS r, false AS heard
        FROM store.similarity e JOIN heard h ON h.track = e.source
        UNION ALL
        SELECT {each h}e.source, e.weight::DOUBLE, 0, false
        FROM store.similarity e JOIN heard h ON h.track = e.target
        UNION ALL
        SELECT {each h}e.target, 0, e.weight::DOUBLE, false
        FROM store.edges e JOIN heard h ON h.track = e.source
        WHERE e.is_content"""

WITH_PRIOR = """WHEN n.popularity = 0 THEN {gamma} * n.d1
                        WHEN n.c_max <= 0 THEN ({gamma} * n.d1 + n.p * n.popularity) / (1 + n.p)
                        ELSE (sqrt(least(1, greatest(0, n.c / n.c_max))) + n.p * n.popularity)
                            / (1 + n.p)"""

WITHOUT_PRIOR = """WHEN n.popularity = 0 OR n.c_max <= 0 THEN {gamma} * n.d1
                        ELSE sqrt(least(1, greatest(0, n.c / n.c_max)))"""

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
    is_similar: bool = False
    """By similarity to one track, without a prior; else by learned weights from any number."""
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
    is_similar=True,
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
        is_similar=True,
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
        "gamma": double(gamma),
        "factors": doubles(artist_factors),
    }
    return [_statement(macro, segments, fixed) for macro in macros]


def weights(segments: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return learned weights in SQL: of a row `l` of `store.listeners`, and of one track alone."""
    cases = [
        f"WHEN {text_literal(segment['segment'])} THEN {double(segment['weight'])}::DOUBLE"
        for segment in segments
    ]
    return {
        "weight": f"CASE l.segment {' '.join(cases)} END",
        "weight_of_one": double(_reached(segments, longest=1)[-1]["weight"]),
    }


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
        best = "ORDER BY place, r.track LIMIT greatest({k}, 0)"
        tail = "tail_of_neighbours" if macro.is_similar else "tail_of_list"
    # what is filled in first may hold what is filled in later
    values = {
        "questions": QUESTIONS if macro.is_many else "",
        "history": macro.history,
        "best": best,
        "tail": statement("warehouse.contract", f"macros/{tail}"),
        **(_by_similarity(segments, macro) if macro.is_similar else _by_weights(segments)),
        "eligible": (
            "CASE WHEN {let_in} THEN NOT s.is_untouched ELSE NOT s.is_heard END"
            if macro.lets_heard_in
            else "NOT s.is_heard"
        )
        + (" AND {not_left_out}" if macro.excludes else ""),
        "untouched": ", bool_and(x.heard) AS is_untouched" if macro.lets_heard_in else "",
        "not_left_out": not_left_out,
        "rows": "" if is_whole else "QUALIFY rank <= {k}",
        "more": FILTERS if is_whole else "",
        "arguments": f"{macro.asked}, {macro.arguments}",
        "asked": macro.asked,
        "id": "q.id" if macro.is_many else f"{macro.asked}::VARCHAR",
        "k": k,
        "let_in": let_in,
        "name": macro.name,
        **fixed,
    }
    text = contract_sql("macros/ranked", values)
    return _keep_apart(text, is_many=macro.is_many)


def _by_weights(segments: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what scores a history of any length, and gives the track of it that spoke loudest."""
    return {
        "edges": LEARNED,
        "summed": OF_EDGES,
        "weight": _by_length(segments, "weight"),
        "popularity": f",\n        {_by_length(segments, 'popularity')} AS p",
        "p": ", a.p",
        "collaborative": WITH_PRIOR,
        "because": "r.because",
        "reasons": f"\n{statement('warehouse.contract', 'macros/reasons')}",
        "same artist": "k.because",
        "because id": "h.id",
        "because join": "\nLEFT JOIN heard h ON h.track = r.because{same h r}",
    }


def _by_similarity(segments: Sequence[Mapping[str, Any]], macro: Ranked) -> dict[str, str]:
    """Return what scores one track's neighbours: whatever has a reason has that track."""
    return {
        "edges": "",
        "summed": SIMILARITY,
        "weight": _by_length(segments, "weight", longest=1),
        "popularity": "",
        "p": "",
        "collaborative": WITHOUT_PRIOR,
        "because": "CASE WHEN c.d > 0 OR (c.c > 0 AND c.popularity > 0) THEN true END",
        "reasons": "",
        "same artist": "CASE WHEN k.because IS NOT NULL THEN true END",
        "because id": "h.id" if macro.is_many else "CASE WHEN r.because THEN {id} END",
        "because join": "\nLEFT JOIN heard h ON r.because{same h r}" if macro.is_many else "",
    }


def _by_length(
    segments: Sequence[Mapping[str, Any]], column: str, longest: int | None = None
) -> str:
    """Return the setting for a history of ``a.n`` tracks, at most ``longest``."""
    *limited, last = _reached(segments, longest)
    cases = [
        f"WHEN a.n <= {int(segment['max_tracks'])} THEN {double(segment[column])}"
        for segment in limited
    ]
    return f"CASE {' '.join(cases)} ELSE {double(last[column])} END"


def _reached(segments: Sequence[Mapping[str, Any]], longest: int | None) -> list[Mapping[str, Any]]:
    """Return the segments of histories of at most ``longest`` tracks, shortest first."""
    return sorted(
        (x for x in segments if longest is None or int(x["min_tracks"]) <= longest),
        key=lambda segment: int(segment["min_tracks"]),
    )


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
