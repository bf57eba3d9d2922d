"""The macros that rank: one SQL text per caller, with what is fixed for the release written out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

OF_LISTENER = """SELECT t.track_key AS track, t.id, t.artist_key
    FROM (SELECT unnest(l.history) AS track FROM store.listeners l WHERE l.id = user_id::VARCHAR) h
    JOIN store.tracks t ON t.track_key = h.track"""

OF_TRACKS = """SELECT t.track_key AS track, t.id, t.artist_key
    FROM store.tracks t WHERE t.id IN (SELECT unnest(track_ids::VARCHAR[]))"""

OF_TRACK = """SELECT t.track_key AS track, t.id, t.artist_key
    FROM store.tracks t WHERE t.id = track_id::VARCHAR"""

LEARNED = """SELECT
        e.source, e.target,
        CASE WHEN e.is_content THEN 0 ELSE e.weight END::DOUBLE AS q,
        CASE WHEN e.is_content THEN e.weight ELSE 0 END::DOUBLE AS r
    FROM store.edges e JOIN heard h ON h.track = e.source"""

# every pair of the similarity is stored once
SIMILARITY = """SELECT e.source, e.target, e.weight::DOUBLE AS q, 0e0 AS r
    FROM store.similarity e JOIN heard h ON h.track = e.source
    UNION ALL
    SELECT e.target, e.source, e.weight::DOUBLE, 0e0
    FROM store.similarity e JOIN heard h ON h.track = e.target
    UNION ALL
    SELECT e.source, e.target, 0e0, e.weight::DOUBLE
    FROM store.edges e JOIN heard h ON h.track = e.source
    WHERE e.is_content"""

FILTERS = ", t.genre, t.year, t.tags, t.listeners, t.is_cold"
"""What a list of candidates has beside the columns of every list."""


@dataclass(frozen=True)
class Ranked:
    """One macro: who is asked for, by which tables, and how far down."""

    name: str
    arguments: str
    history: str
    edges: str = LEARNED
    k: int | None = None
    """Rows when no other number is asked for; None: all of them."""
    excludes: bool = True
    lets_heard_in: bool = False


MACROS = (
    Ranked(
        "recommend_user",
        "user_id, k := 20, weight := NULL, exclude := [], heard := false",
        OF_LISTENER,
        k=20,
        lets_heard_in=True,
    ),
    Ranked(
        "recommend_tracks",
        "track_ids, k := 20, weight := NULL, exclude := []",
        OF_TRACKS,
        k=20,
    ),
    Ranked(
        "similar_to",
        "track_id, k := 10, weight := NULL",
        OF_TRACK,
        SIMILARITY,
        k=10,
        excludes=False,
    ),
    Ranked(
        "user_candidates",
        "user_id, weight := NULL, exclude := [], heard := false",
        OF_LISTENER,
        lets_heard_in=True,
    ),
    Ranked(
        "track_candidates",
        "track_id, weight := NULL, exclude := []",
        OF_TRACK,
        SIMILARITY,
    ),
)


def ranked_macros(
    segments: Sequence[Mapping[str, Any]], gamma: float, artist_factors: Sequence[float]
) -> list[str]:
    """Return the statements that create the five macros for one release."""
    fixed = {
        "weight": _by_length(segments, "weight"),
        "gamma": _double(gamma),
        "factors": f"[{', '.join(_double(factor) for factor in artist_factors)}]",
    }
    return [_statement(macro, segments, fixed) for macro in MACROS]


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
    k = f"coalesce(k, {macro.k})"
    values = {
        **fixed,
        "name": macro.name,
        "arguments": macro.arguments,
        "history": macro.history,
        "edges": macro.edges,
        "popularity": "0e0" if macro.edges == SIMILARITY else _by_length(segments, "popularity"),
        "eligible": f"CASE WHEN {let_in} THEN NOT s.is_untouched ELSE NOT s.is_heard END "
        f"AND {not_left_out}",
        "best": "" if macro.k is None else f"ORDER BY place, r.track LIMIT greatest({k}, 0)",
        "rows": "" if macro.k is None else f"QUALIFY rank <= {k}",
        "more": FILTERS if macro.k is None else "",
    }
    tail = _sql("tail_of_candidates" if macro.k is None else "tail_of_list")
    values["tail"] = _filled(tail, {"k": k, "let_in": let_in, "not_left_out": not_left_out})
    return _filled(_sql("ranked"), values)


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


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _sql(name: str) -> str:
    return files("warehouse").joinpath(f"macros/{name}.sql").read_text()
