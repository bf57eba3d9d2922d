"""`crossfade recommend` for the lists that rest on the times of plays (docs/times.md)."""

from dataclasses import dataclass

import pyarrow as pa
import typer

from flows.cli.options import UserList
from warehouse.errors import InputError, UnknownReleaseError
from warehouse.releases.reader import Reader

_MACROS = {
    UserList.ON_REPEAT: "on_repeat",
    UserList.REDISCOVER: "rediscover",
    UserList.NEW: "new_for_user",
}


@dataclass(frozen=True)
class TimedList:
    """Which list is asked for."""

    macro: str
    subject: str
    """A listener's id, or the scope of what is trending."""
    weight: float | None = None


def asked_list(
    user: str | None, which: UserList, trending: str | None, weight: float | None
) -> TimedList:
    """Return the list that the options ask for.

    Raises InputError for options that do not go together.
    """
    if trending is not None:
        if user or which is not UserList.RECOMMENDED or weight is not None:
            raise InputError("--trending SCOPE takes neither --user, --list nor --weight")
        return TimedList("trending", trending)
    if not user:
        raise InputError(f"--list {which.value} is a listener's: name one by --user ID")
    if which is not UserList.NEW and weight is not None:
        raise InputError(f"--list {which.value} takes no --weight")
    return TimedList(_MACROS[which], user, weight)


def read_list(reader: Reader, asked: TimedList, k: int | None) -> pa.Table:
    """Return the list from the open release, and say on standard error if it has no rows.

    Raises UnknownReleaseError if the release is older than the macro.
    """
    exists = "SELECT 1 FROM duckdb_functions() WHERE function_name = ?"
    if not reader.rows(exists, [asked.macro]):
        raise UnknownReleaseError(
            f"the current release is older than `{asked.macro}`; make a new one with "
            "`crossfade run`"
        )
    weighted = ", weight := ?" if asked.weight is not None else ""
    given = [asked.subject, k, *([asked.weight] if weighted else [])]
    rows = reader.query(f"FROM {asked.macro}(?, k := ?{weighted})", given)
    if not rows.num_rows:
        typer.echo(
            f"{asked.macro} has no rows for {asked.subject!r} in this release; it needs "
            "`plays.at` (docs/times.md)",
            err=True,
        )
    return rows
