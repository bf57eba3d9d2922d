"""The fields of [tracks], or of a catalogue that is derived from the history."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tasks.dataset.detect.content_columns import (
    content_decisions,
    creator_decision,
    creator_score,
    title_score,
)
from tasks.dataset.detect.decision import Decision
from tasks.dataset.detect.names import TITLE, has, is_id_name
from tasks.dataset.detect.shapes import is_null
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.detect.table import Table
from tasks.dataset.detect.values import Column, Kind

_REPEATED = 0.01
"""From this share of rows on, repeated ids or songs are worth a field."""


def catalogue_decisions(table: Table, id_column: Column) -> list[Decision]:
    """Propose every optional field of [tracks]."""
    decisions = content_decisions(table, [id_column.name])
    found = {one.field: one.value for one in decisions}
    if (
        "tracks.title" not in found
        and not is_id_name(id_column.name)
        and id_column.kind is Kind.TEXT
    ):
        decisions.insert(
            0, Decision("tracks.title", id_column.name, Sureness.LIKELY, "the ids are titles")
        )
        found["tracks.title"] = id_column.name
    merge = _merge(id_column)
    if merge:
        decisions.append(merge)
    elif duplicates := _duplicates(table, id_column, found):
        decisions.append(duplicates)
    return decisions


def _merge(id_column: Column) -> Decision | None:
    rows = id_column.count
    repeated = rows - id_column.distinct
    if repeated <= _REPEATED * rows:
        return None
    reason = f"{repeated:,} of {rows:,} sampled rows repeat an id, with other values beside it"
    return Decision("tracks.merge", True, Sureness.LIKELY, reason)


def _duplicates(table: Table, id_column: Column, found: Mapping[str, object]) -> Decision | None:
    fields = [field for field in ("title", "creator") if found.get(f"tracks.{field}")]
    if len(fields) < 2:
        return None
    columns = [table.column(_column(found[f"tracks.{field}"])) for field in fields]
    if any(column is id_column for column in columns):
        return None
    songs = Counter(
        tuple((value or "").strip().casefold() for value in row)
        for row in zip(*(column.values for column in columns), strict=True)
        if not any(value is None or is_null(value) for value in row)
    )
    repeated = sum(count - 1 for count in songs.values())
    if repeated <= _REPEATED * table.rows:
        return None
    example = next(" by ".join(song) for song, count in songs.items() if count > 1)
    reason = f"{repeated:,} of {table.rows:,} sampled rows repeat a title of a creator ({example})"
    return Decision("tracks.duplicates", fields, Sureness.LIKELY, reason)


def _column(value: object) -> str:
    return str(value["column"]) if isinstance(value, Mapping) else str(value)


def derived_decisions(history: Table, item: Column, taken: Sequence[str]) -> list[Decision]:
    """Propose ``plays.title`` and ``plays.creator`` from columns that follow from the track."""
    if item.kind is Kind.LIST:
        return []  # what stands beside a list describes the list
    left = [
        c for c in history.columns
        if c.name not in taken and c.kind in (Kind.TEXT, Kind.LIST) and not is_id_name(c.name)
        and _follows(item, c)
    ]  # fmt: skip
    decisions: list[Decision] = []
    titles = sorted((c for c in left if title_score(c) > 0), key=lambda c: -title_score(c))
    made_up = [c for c in left if c.name.startswith("column_") and c.distinct > 0.5 * item.distinct]
    if titles or made_up:
        best = (titles or made_up)[0]
        sure = Sureness.LIKELY if titles else Sureness.GUESS
        decisions.append(
            Decision("plays.title", best.name, sure, "one value for every track",
                     tuple(c.name for c in (*titles, *made_up) if c is not best))
        )  # fmt: skip
    elif item.kind is Kind.TEXT and (has(item.name, TITLE) or not is_id_name(item.name)):
        decisions.append(
            Decision("plays.title", item.name, Sureness.LIKELY, "the tracks are named by it")
        )
    used = {_column(one.value) for one in decisions}
    creators = [c for c in left if c.name not in used and creator_score(c) > 0]
    creators.sort(key=lambda c: -creator_score(c))
    if creators:
        found = creator_decision("plays.creator", creators[0], creators[1:], 1.0)
        decisions.append(replace(found, sureness=found.sureness & Sureness.LIKELY))
    return decisions


def _follows(item: Column, other: Column) -> bool:
    """Tell whether a track nearly always has one value of another column."""
    pairs = {
        pair for pair in zip(item.values, other.values, strict=True)
        if pair[0] is not None and pair[1] is not None
    }  # fmt: skip
    items = {one for one, _ in pairs}
    return bool(items) and len(pairs) < 1.5 * len(items)
