"""What `crossfade recommend` asks a release: one macro, and which ids it does not know."""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from warehouse.errors import InputError
from warehouse.releases.home import Home
from warehouse.releases.reader import Reader

_OF_LISTENERS = {"recommend_user", "recommend_artists"}
_OF_ARTISTS = {"artist_tracks", "similar_artists"}

_UNKNOWN = """
SELECT a.id FROM (SELECT unnest(?::VARCHAR[]) AS id) a
WHERE a.id NOT IN (SELECT x.{column} FROM {relation} x) ORDER BY a.id
"""


@dataclass(frozen=True)
class Question:
    """A macro and its arguments; None: its default."""

    macro: str
    about: str | list[str]
    """An id, a name, or several ids."""
    k: int | None
    weight: float | None
    seed: int
    """Of the macros, `radio` has one."""


def answer(home: Home, asked: Question) -> tuple[pa.Table, list[str]]:
    """Return the rows, and a line for each id or name that the release does not know.

    Raises InputError if the current release is older than the macro.
    """
    seed = f", seed := {asked.seed}" if asked.macro == "radio" else ""
    with Reader(home.current) as reader:
        try:
            table = reader.query(
                f"FROM {asked.macro}(?, k := ?, weight := ?{seed})",
                [asked.about, asked.k, asked.weight],
            )
        except duckdb.CatalogException:
            raise InputError(
                f"the current release has no {asked.macro}: an earlier version of Crossfade built "
                "it; publish a new one with `crossfade run`"
            ) from None
        return table, _unknown(reader, asked)


def _unknown(reader: Reader, asked: Question) -> list[str]:
    about = asked.about if isinstance(asked.about, list) else [asked.about]
    if asked.macro in _OF_ARTISTS:
        known = reader.rows("SELECT 1 AS x FROM artist_tracks(?, k := 1)", [asked.about])
        return [] if known else [f"no artist {asked.about!r} in this release"]
    is_listener = asked.macro in _OF_LISTENERS
    relation, column = ("users", "user_id") if is_listener else ("tracks", "track_id")
    query = _UNKNOWN.format(relation=relation, column=column)
    return [f"no {column} {row['id']!r} in this release" for row in reader.rows(query, [about])]
