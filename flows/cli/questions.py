"""What `crossfade recommend` asks a release: one macro, and what it does not know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from warehouse.errors import InputError, UnknownReleaseError
from warehouse.releases.reader import Reader

_OPTIONS = (
    "--user ID, --like TRACK_ID …, --similar-to TRACK_ID, --trending SCOPE, --artist NAME, "
    "--similar-artists NAME, --artists-for ID, --continue TRACK_ID … and --radio TRACK_ID …"
)
_OF_ARTISTS = {"artist_tracks", "similar_artists"}
_OF_TRACKS = {"recommend_tracks", "similar_to", "continue_playlist", "radio"}
_OF_TIMES = {"on_repeat", "rediscover", "new_for_user", "trending"}
_WITHOUT_WEIGHT = {"on_repeat", "rediscover", "trending"}
_VARIED = {"recommend_user", "recommend_tracks"}
_DID = {
    "recommend_user": "played", "recommend_tracks": "liked", "continue_playlist": "chose",
    "radio": "chose",
}  # fmt: skip

_UNKNOWN = """
SELECT a.id FROM (SELECT unnest(?::VARCHAR[]) AS id) a
WHERE a.id NOT IN (SELECT x.{column} FROM {relation} x) ORDER BY a.id
"""


@dataclass(frozen=True)
class Question:
    """A macro and its arguments; None: its default."""

    macro: str
    about: str | list[str]
    """An id, a name, a scope, or several ids."""
    k: int | None
    weight: float | None
    seed: int
    """Of the macros, `radio` has one."""
    diversity: float = 0
    calibrated: float = 0
    """0: the order of the scores."""

    @property
    def did(self) -> str:
        """What was done with the tracks that the list is made from (`flows.cli.reasons`)."""
        return _DID.get(self.macro, "")


def question(
    given: Mapping[str, str | list[str] | None],
    more: Sequence[str],
    k: int | None,
    weight: float | None,
    seed: int,
    diversity: float = 0,
    calibrated: float = 0,
) -> Question:
    """Return the question that the options ask, each by its macro; ``more`` are further ids.

    Raises InputError for options that do not go together.
    """
    asked = {macro: value for macro, value in given.items() if value}
    if len(asked) != 1:
        raise InputError(f"give exactly one of {_OPTIONS}")
    [(macro, value)] = asked.items()
    if more and not isinstance(value, list):
        raise InputError("more ids may follow --like, --continue and --radio only")
    if weight is not None and macro in _WITHOUT_WEIGHT:
        raise InputError(f"{macro} takes no --weight: it has no collaborative share")
    if (diversity or calibrated) and macro not in _VARIED:
        raise InputError("--diversity and --calibrated go with --user and --like only")
    about = [*value, *more] if isinstance(value, list) else value
    return Question(macro, about, k, weight, seed, diversity, calibrated)


def ask(reader: Reader, asked: Question) -> tuple[pa.Table, list[str]]:
    """Return the rows, and a line for each thing that the release does not know.

    Raises UnknownReleaseError if the release is older than the macro.
    """
    values: list[str | list[str] | float | None] = [asked.about, asked.k]
    call = f"FROM {asked.macro}(?, k := ?"
    if asked.macro not in _WITHOUT_WEIGHT:
        call += ", weight := ?"
        values.append(asked.weight)
    if asked.macro == "radio":
        call += f", seed := {asked.seed}"
    if asked.diversity or asked.calibrated:
        call += ", diversity := ?, calibrated := ?"
        values += [asked.diversity, asked.calibrated]
    try:
        table = reader.query(f"{call})", values)
    except duckdb.CatalogException:
        raise UnknownReleaseError(
            f"the current release is older than `{asked.macro}`; make a new one with "
            "`crossfade run`"
        ) from None
    except duckdb.BinderException:
        if not (asked.diversity or asked.calibrated):
            raise
        raise UnknownReleaseError(
            "the current release is older than `diversity` and `calibrated`; make a new one with "
            "`crossfade run`"
        ) from None
    unknown = _unknown(reader, asked)
    if asked.macro in _OF_TIMES and not table.num_rows and not unknown:
        unknown.append(
            f"{asked.macro} has no rows for {asked.about!r} in this release; it needs "
            "`plays.at` (docs/times.md)"
        )
    return table, unknown


def _unknown(reader: Reader, asked: Question) -> list[str]:
    about = asked.about if isinstance(asked.about, list) else [asked.about]
    if asked.macro == "trending":
        return []
    if asked.macro in _OF_ARTISTS:
        known = reader.rows("SELECT 1 AS x FROM artist_tracks(?, k := 1)", [asked.about])
        return [] if known else [f"no artist {asked.about!r} in this release"]
    is_track = asked.macro in _OF_TRACKS
    relation, column = ("tracks", "track_id") if is_track else ("users", "user_id")
    query = _UNKNOWN.format(relation=relation, column=column)
    return [f"no {column} {row['id']!r} in this release" for row in reader.rows(query, [about])]
