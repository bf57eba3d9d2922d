"""The macros that rank: SQL texts with the fragments of each macro and release filled in.

`macros/ranked.sql` ranks for one history, `macros/ranked_many.sql` for many in one query.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from warehouse.contract import fragments
from warehouse.contract.constants import COMPUTED_AT_ONCE, sql_constants
from warehouse.statements import double, doubles, filled, statement, text_literal

Asked = Literal["listener", "tracks", "track"]
"""Whose list it is: a listener's, that of some liked tracks, one track's neighbours."""


@dataclass(frozen=True)
class Ranked:
    """A macro for one history."""

    name: str
    asked: Asked
    arguments: str
    """With their defaults, the history first."""
    k: int | None = None
    """Rows when no other number is asked for; None: all of them."""
    lets_heard_in: bool = False
    limits_artists: bool = False
    """Has `per_artist`, `exclude_artists` and `new_artists`."""
    varies: bool = False
    """Has `diversity` and `calibrated`."""


@dataclass(frozen=True)
class Batch:
    """A macro for many histories."""

    name: str
    asked: Asked
    arguments: str
    k: int
    excludes: bool = False
    lets_heard_in: bool = False
    varies: bool = False


ARTISTS = "per_artist := NULL, exclude_artists := [], new_artists := false"
VARIETY = "diversity := 0, calibrated := 0"

MACROS = (
    Ranked(
        "recommend_user",
        "listener",
        f"user_id, k := 20, weight := NULL, exclude := [], heard := false, {ARTISTS}, {VARIETY}",
        k=20,
        lets_heard_in=True,
        limits_artists=True,
        varies=True,
    ),
    Ranked(
        "recommend_tracks",
        "tracks",
        f"track_ids, k := 20, weight := NULL, exclude := [], {ARTISTS}, {VARIETY}",
        k=20,
        limits_artists=True,
        varies=True,
    ),
    Ranked("similar_to", "track", "track_id, k := 10, weight := NULL, exclude := []", k=10),
    Ranked(
        "user_candidates",
        "listener",
        "user_id, weight := NULL, exclude := [], heard := false",
        lets_heard_in=True,
    ),
    Ranked("candidates_for_tracks", "tracks", "track_ids, weight := NULL, exclude := []"),
    Ranked("track_candidates", "track", "track_id, weight := NULL, exclude := []"),
)

BATCHES = (
    Batch(
        "recommend_users",
        "listener",
        f"user_ids, k := 20, weight := NULL, exclude := [], heard := false, {VARIETY}",
        k=20,
        excludes=True,
        lets_heard_in=True,
        varies=True,
    ),
    Batch("similar_to_many", "track", "track_ids, k := 10, weight := NULL", k=10),
    Batch(
        "recommend_many",
        "tracks",
        f"lists, k := 20, weight := NULL, {VARIETY}",
        k=20,
        varies=True,
    ),
)

FRAGMENT_FILES = {
    "reasons_of_one": "reasons",
    "reasons_of_many": "reasons_many",
    "variety_of_one": "variety_of_list",
    "variety_of_many": "variety_of_lists",
}
"""Fragments that are files in macros/."""


HAS_STRENGTHS = "SELECT count(l.strengths) > 0 FROM store.listeners l"
"""Whether the tracks of any history count differently."""


@dataclass(frozen=True)
class Settings:
    """What is fixed for a release and written out in its macros."""

    segments: Sequence[Mapping[str, Any]]
    gamma: float
    artist_factors: Sequence[float]
    has_dislikes: bool
    """Without any, no macro looks for them."""
    has_strengths: bool = False
    """Whether the tracks of a listener's history count differently."""


def ranked_macros(release: Settings) -> list[str]:
    """Return the statements that create the macros for one history."""
    return [_single(macro, release) for macro in MACROS]


def batch_macros(release: Settings, stored: Mapping[Asked, int]) -> list[str]:
    """Return the statements that create the macros for many histories.

    ``stored`` is the length of the precomputed lists, by who is asked for.
    """
    return [_batch(macro, release, stored.get(macro.asked, 0)) for macro in BATCHES]


def computing_macros(release: Settings) -> list[str]:
    """Return statements for the same macros with every list computed, named ``computed_…``.

    They belong to a connection, which may have the file open read-only.
    """
    return [
        _batch(replace(macro, name=f"computed_{macro.name}"), release, 0, kind="TEMP MACRO")
        for macro in BATCHES
    ]


def _single(macro: Ranked, release: Settings) -> str:
    is_whole = macro.k is None
    parts = {
        "history": fragments.HISTORY[macro.asked],
        **(fragments.SIMILARITY if macro.asked == "track" else fragments.LEARNED),
        "best": "" if is_whole else "ORDER BY place, r.track LIMIT greatest({listed}, 0)",
        "rows": "" if is_whole else "QUALIFY rank <= {k}",
        "filters": fragments.FILTERS if is_whole else "",
        "capped": fragments.CAPPED if macro.limits_artists else "",
        "cap": fragments.CAP_OF_FILLERS if macro.limits_artists else "",
        "tail": _tail(macro),
        **(fragments.VARIED if macro.varies else fragments.NOT_VARIED),
        **_eligible(excludes=True, lets_heard_in=macro.lets_heard_in),
        **(fragments.DISLIKES if _leaves_disliked_out(macro, release) else fragments.NO_DISLIKES),
        **fragments.ALL_EQUAL,
        **(fragments.STRENGTHS if _has_strengths(macro, release) else {}),
    }
    if macro.limits_artists:
        parts["not_left_out"] += fragments.ARTISTS_LEFT_OUT
    scalars = {
        "id": fragments.ID.get(macro.asked, ""),
        "k": f"coalesce(k, {macro.k})",
        "name": macro.name,
        "arguments": macro.arguments,
        "kind": "MACRO",
    }
    return _filled("ranked", parts, scalars, release, is_similar=macro.asked == "track")


def _leaves_disliked_out(macro: Ranked | Batch, release: Settings) -> bool:
    return macro.asked == "listener" and release.has_dislikes


def _has_strengths(macro: Ranked | Batch, release: Settings) -> bool:
    return macro.asked == "listener" and release.has_strengths


def _tail(macro: Ranked) -> str:
    name = {
        (True, True): "tail_of_track_candidates",
        (True, False): "tail_of_candidates",
        (False, True): "tail_of_neighbours",
        (False, False): "tail_of_list",
    }[macro.k is None, macro.asked == "track"]
    return statement("warehouse.contract", f"macros/{name}")


def _batch(macro: Batch, release: Settings, stored: int, kind: str = "MACRO") -> str:
    is_similar = macro.asked == "track"
    too_many = (
        f"{macro.name} computes at most {COMPUTED_AT_ONCE} lists in a call; ask for the ids in "
        f"several calls of at most {COMPUTED_AT_ONCE}"
    )
    parts = {
        "given": fragments.GIVEN[macro.asked],
        "history": fragments.HISTORIES[macro.asked],
        **(fragments.SIMILARITY_OF_MANY if is_similar else fragments.LEARNED_OF_MANY),
        "stored": fragments.STORED.get(macro.asked, ""),
        "tail": statement("warehouse.contract", "macros/tail_of_lists"),
        "looked_at": fragments.LOOKED_AT,
        **(fragments.VARIED_OF_MANY if macro.varies else fragments.NOT_VARIED),
        **_eligible(excludes=macro.excludes, lets_heard_in=macro.lets_heard_in),
        **(
            fragments.DISLIKES_OF_MANY
            if _leaves_disliked_out(macro, release)
            else fragments.NO_DISLIKES
        ),
        **(fragments.STRENGTHS_OF_MANY if _has_strengths(macro, release) else fragments.ALL_EQUAL),
        "is_default": " AND ".join(
            [
                "weight IS NULL",
                "{k} <= {stored_rows}",
                *(["coalesce(len(exclude), 0) = 0"] if macro.excludes else []),
                *(["NOT {let_in}"] if macro.lets_heard_in else []),
                *(["NOT coalesce({is_varied}, false)"] if macro.varies else []),
            ]
        ),
    }
    scalars = {
        "asked_by": fragments.ASKED_BY[macro.asked],
        "columns": "*" if macro.asked == "tracks" else "* EXCLUDE (position)",
        "found": "similar_track_id" if is_similar else "track_id",
        "too_many": text_literal(too_many),
        "stored_rows": str(stored),
        "let_in": parts["let_in"],
        "k": f"coalesce(k, {macro.k})",
        "name": macro.name,
        "arguments": macro.arguments,
        "kind": kind,
    }
    return _filled("ranked_many", parts, scalars, release, is_similar=is_similar)


def _eligible(*, excludes: bool, lets_heard_in: bool) -> dict[str, str]:
    """Return which tracks may be in the list."""
    return {
        "eligible": (
            "CASE WHEN {let_in} THEN NOT s.is_untouched ELSE NOT s.is_heard END"
            if lets_heard_in
            else "NOT s.is_heard"
        )
        + (" AND {not_left_out}" if excludes else ""),
        "untouched": ", bool_and(x.heard) AS is_untouched" if lets_heard_in else "",
        # without ids to leave out this is known while planning, and no id is read
        "not_left_out": (
            "(coalesce(len(exclude), 0) = 0 OR NOT list_contains(exclude::VARCHAR[], t.id))"
            if excludes
            else "true"
        ),
        "let_in": "coalesce(heard, false)" if lets_heard_in else "false",
    }


def _filled(
    text: str,
    parts: Mapping[str, str],
    scalars: Mapping[str, str],
    release: Settings,
    *,
    is_similar: bool,
) -> str:
    """Fill in fragments until none is left (a fragment may name others), then scalars."""
    shortest = 1 if is_similar else None
    values = {
        **parts,
        "weight": _by_length(release.segments, "weight", shortest),
        "prior_strength": _by_length(release.segments, "popularity", shortest),
    }
    for fragment, name in FRAGMENT_FILES.items():
        values[fragment] = statement("warehouse.contract", f"macros/{name}").rstrip("\n")
    whole = statement("warehouse.contract", f"macros/{text}")
    while (next_ := filled(whole, values)) != whole:
        whole = next_
    constants = {"gamma": double(release.gamma), "factors": doubles(release.artist_factors)}
    return filled(whole, {**scalars, **constants, **sql_constants()})


def views_values(release: Settings) -> dict[str, str]:
    """Return what the views of a release have in their text."""
    return {
        "factors": doubles(release.artist_factors),
        "weight_of_one": _by_length(release.segments, "weight", longest=1),
    }


def _by_length(
    segments: Sequence[Mapping[str, Any]], column: str, longest: int | None = None
) -> str:
    """Return the setting for a history of ``a.n`` tracks, or for one of ``longest`` tracks."""
    ordered = sorted(
        (x for x in segments if longest is None or int(x["min_tracks"]) <= longest),
        key=lambda segment: int(segment["min_tracks"]),
    )
    *limited, last = ordered
    if longest is not None:
        return double(last[column])
    cases = [
        f"WHEN a.n <= {int(segment['max_tracks'])} THEN {double(segment[column])}"
        for segment in limited
    ]
    return f"CASE {' '.join(cases)} ELSE {double(last[column])} END"
