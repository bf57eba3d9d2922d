"""Files given twice, ids that do not match, and ids that lost digits."""

import hashlib
import re
from collections.abc import Sequence

from tasks.dataset.detect.content_columns import title_score
from tasks.dataset.detect.matching import Link, Match, id_values, may_be_id
from tasks.dataset.detect.names import item_strength, user_strength
from tasks.dataset.detect.table import Table
from tasks.dataset.detect.values import Column
from warehouse.errors import InputError

_SCIENTIFIC = re.compile(r"[+-]?\d(\.\d+)?[eE]\+?\d+")
_EXACT = 2**53
"""Above it floating-point numbers skip whole ones."""

_FIXES = {
    "`.0` at the end": "one side was written as floating-point numbers; write it as text or whole "
    "numbers",
    "leading zeros": "one side was read as numbers; write it as text",
    "upper and lower case": "write both sides in one case",
    "a prefix": "write both sides with the prefix or without it",
    "scientific notation": "one side was written as floating-point numbers; write it as text or "
    "whole numbers",
    "letters before the number": "write both sides in the same form",
}
"""Differences between ids that no field of the TOML removes, and what to do."""


def same_content(one: Table, other: Table) -> bool:
    """Tell whether two tables are byte for byte the same."""
    if len(one.files) != 1 or len(other.files) != 1:
        return False
    first, second = one.files[0], other.files[0]
    if first.stat().st_size != second.stat().st_size or first.samefile(second):
        return first.samefile(second)
    digests = []
    for file in (first, second):
        with file.open("rb") as opened:
            digests.append(hashlib.file_digest(opened, "blake2b").digest())
    return digests[0] == digests[1]


def refuse_lost_digits(table: Table, columns: Sequence[Column]) -> None:
    """Raise InputError if ids are long numbers in scientific notation: their ends are lost."""
    for column in columns:
        for value in column.examples:
            if _SCIENTIFIC.fullmatch(value) and abs(float(value)) >= _EXACT:
                raise InputError(
                    f"{table.label}: `{column.name}` holds long ids as floating-point numbers "
                    f"({value}), which lost their last digits; export the column as text or as "
                    "whole numbers"
                )


def refuse_repair(match: Match, link: Link) -> None:
    """Raise InputError if ids match only after a change that the reader does not make."""
    fix = _FIXES.get(link.repair)
    if fix is None:
        return
    raise InputError(
        f"the ids of `{match.item.name}` in {match.history.label} ({_three(match.item)}) and of "
        f"`{link.column.name}` in {link.table.label} ({_three(link.column)}) differ in "
        f"{link.repair}; {fix}"
    )


def refuse_other_ids(match: Match, tables: Sequence[Table]) -> None:
    """Raise InputError if a file looks like the catalogue but has none of the history's ids."""
    for table in tables:
        if table is match.history or any(table is other for other in match.histories):
            continue
        ids = [
            column for column in table.columns
            if may_be_id(column) and column.uniqueness > 0.95 and item_strength(column.name) >= 0.4
            and not user_strength(column.name)
        ]  # fmt: skip
        if ids and any(title_score(column) > 0 for column in table.columns):
            raise InputError(
                f"none of the ids of `{match.item.name}` in {match.history.label} "
                f"({_three(match.item)}) is in {table.label} (`{ids[0].name}`: {_three(ids[0])}); "
                "give the catalogue of this history, or the history alone"
            )


def _three(column: Column) -> str:
    return ", ".join(sorted(id_values(column))[:3])
