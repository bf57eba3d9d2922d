"""What is likely wrong in a dataset TOML, seen beside the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.dataset.columns import ListSpec
from tasks.dataset.detect.content import decodes
from tasks.dataset.detect.content_columns import content_decisions
from tasks.dataset.detect.decision import Decision
from tasks.dataset.detect.encoding import ALL_ASCII, MULTI_BYTE
from tasks.dataset.detect.identity import same_content
from tasks.dataset.detect.matching import Link, link_between
from tasks.dataset.detect.names import RATING, has
from tasks.dataset.detect.reading import read_as
from tasks.dataset.detect.strength import strength_decisions
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.detect.table import Table, look
from tasks.dataset.detect.times import time_mistake
from tasks.dataset.detect.values import Column, Kind
from tasks.dataset.files import FilesSpec
from tasks.dataset.plays import PlaysSpec
from tasks.dataset.spec import DatasetSpec
from tasks.dataset.tracks import TracksSpec
from warehouse.errors import InputError

_MOST_COUNT = 100_000


@dataclass(frozen=True)
class Checked:
    """A dataset TOML beside its files."""

    history: Table
    catalogue: Table | None
    mistakes: tuple[str, ...]
    """What is likely meant otherwise."""
    unused: Mapping[str, Sequence[str]]
    """Table → columns that no field names."""


def check_spec(spec: DatasetSpec) -> Checked:
    """Read samples as the TOML says and compare them with what the files look like.

    Raises InputError if a file cannot be read or a column is not there.
    """
    history = read_as(spec.plays)
    _refuse_missing("plays", spec.plays.columns(), history)
    catalogue = None
    mistakes = [*_dialect_mistakes("plays", spec.plays, history)]
    mistakes += _history_mistakes(spec.plays, history)
    if not spec.tracks.derived:
        catalogue = read_as(spec.tracks)
        if not spec.tracks.absent_ok:
            _refuse_missing("tracks", spec.tracks.columns(), catalogue)
        mistakes += _dialect_mistakes("tracks", spec.tracks, catalogue)
        mistakes += _catalogue_mistakes(spec.tracks, catalogue)
        mistakes += _id_mistakes(spec, history, catalogue)
    unused = {"plays": unused_columns(history, spec.plays)}
    if catalogue:
        unused["tracks"] = unused_columns(catalogue, spec.tracks)
    return Checked(history, catalogue, tuple(mistakes), unused)


def _refuse_missing(section: str, fields: Mapping[str, str], table: Table) -> None:
    names = [column.name for column in table.columns]
    for field, column in fields.items():
        if column not in names:
            listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
            raise InputError(
                f"{table.label}: `{field}` names column `{column}`; with the dialect of "
                f"[{section}] the file has {listed}"
            )


def unused_columns(table: Table, spec: PlaysSpec | TracksSpec) -> list[str]:
    """Return a table's columns that no field of the TOML names."""
    used = {*spec.columns().values()}
    if isinstance(spec, PlaysSpec):
        used |= {*spec.describing()}
    return [column.name for column in table.columns if column.name not in used]


def _dialect_mistakes(section: str, spec: FilesSpec, table: Table) -> list[str]:
    """Compare the TOML's dialect with the one that the file seems to be in."""
    found = look(spec.path[0])
    mistakes = list(found.notes)
    if found.encoding and not _fits(found, spec.encoding):
        mistakes.append(
            f"{found.label} is {found.encoding.name} by the look of it ({found.encoding.reason}); "
            f'write encoding = "{found.encoding.name}" in [{section}]'
        )
    if found.dialect is None or table.dialect is None:
        return mistakes
    if spec.header and not found.dialect.header and not spec.columns_in_file:
        mistakes.append(
            f"{found.label} seems to have no header ({found.dialect.header_reason}); write header "
            f'= false and columns = ["…"] in [{section}]'
        )
    if not spec.header and found.dialect.header and not spec.skip and found.dialect.columns:
        mistakes.append(
            f"{found.label} seems to have a header ({', '.join(found.dialect.columns[:4])}), but "
            f"[{section}] says header = false: it would be read as a row"
        )
    if found.dialect.strip and not spec.strip:
        mistakes.append(
            f"values in {found.label} have spaces around them; write strip = true in [{section}]"
        )
    return mistakes


def _fits(found: Table, given: str) -> bool:
    """Tell whether the text shows no other encoding than the given one."""
    encoding = found.encoding
    if encoding is None or (encoding.reason == ALL_ASCII and not given.startswith("utf-")):
        return True
    if encoding.sureness is Sureness.GUESS and given in MULTI_BYTE:
        return decodes(found.files[0], given)
    return _same_encoding(encoding.name, given)


def _same_encoding(found: str, given: str) -> bool:
    plain = {name.replace("_", "-").lower() for name in (found, given)}
    western = {"latin-1", "cp1252", "iso8859-1", "windows-1252"}
    return len(plain) == 1 or (found == "utf-8" and "utf" in given) or plain <= western


def _history_mistakes(spec: PlaysSpec, table: Table) -> list[str]:
    mistakes: list[str] = []
    ids = [table.column(spec.user), table.column(spec.track_column)]
    proposed = {one.field: one for one in strength_decisions(table, ids)}
    if spec.count:
        column = table.column(spec.count)
        rating = has(spec.count, RATING) or column.low < 0
        strength = proposed.get("plays.strength")
        if rating and strength and not spec.strength and not spec.where:
            mistakes.append(
                f"`plays.count` names `{spec.count}`, which looks like ratings from "
                f"{column.low:g} to {column.high:g}; write strength = {{ column = "
                f'"{spec.count}", min = {strength.value["min"]:g} }} instead'
            )
        elif column.is_number and column.high > _MOST_COUNT:
            mistakes.append(
                f"`plays.count` names `{spec.count}`, with numbers up to {column.high:,.0f}; "
                "plays are expected, not a duration"
            )
    if spec.at and (mistake := time_mistake(spec.at, table.column(spec.at.column))):
        mistakes.append(mistake)
    where = proposed.get("plays.where")
    if where and not spec.where and not spec.strength and not spec.count:
        mistakes.append(f'{where.reason}; write where = "{where.value}" if it is meant so')
    track = table.column(spec.track_column)
    if isinstance(spec.track, str) and track.kind is Kind.LIST and track.uniqueness > 0.9:
        mistakes.append(
            f"`{spec.track}` holds lists such as {track.examples[0][:60]}; write track = "
            f"{_as_list(track)}"
        )
    return mistakes


def _as_list(column: Column) -> str:
    syntax = "json" if column.list_syntax == "native" else column.list_syntax
    return f'{{ column = "{column.name}", list = "{syntax}" }}'


def _catalogue_mistakes(spec: TracksSpec, table: Table) -> list[str]:
    mistakes: list[str] = []
    creator = table.column(spec.creator) if isinstance(spec.creator, str) else None
    if creator and creator.list_syntax in ("json", "python", "native"):
        mistakes.append(
            f"`tracks.creator` names `{creator.name}`, which holds lists such as "
            f"{creator.examples[0][:60]}; write creator = {_as_list(creator)}"
        )
    if spec.tags:
        mistakes += _tag_mistakes(spec.tags.way, table.column(spec.tags.column))
    ids = table.column(spec.id)
    if ids.count - ids.distinct > 0.01 * ids.count and not spec.merge:
        mistakes.append(
            f"`{spec.id}` repeats in {ids.count - ids.distinct:,} of {ids.count:,} sampled rows; "
            "write merge = true if several rows are one track, or check the column"
        )
    named = set(spec.columns().values())
    mistakes += [
        f"`{_column(one)}` is not used; it could be `{one.field}`"
        for one in content_decisions(table, [spec.id])
        if _is_missed(one, spec, named)
    ]
    return mistakes


def _is_missed(proposed: Decision, spec: TracksSpec, named: set[str]) -> bool:
    """Tell whether a field is empty for which an unused column offers itself."""
    field = proposed.field.removeprefix("tracks.")
    if field not in ("title", "creator", "tags") or getattr(spec, field):
        return False
    return _column(proposed) not in named


def _column(proposed: Decision) -> str:
    value = proposed.value
    return str(value["column"] if isinstance(value, Mapping) else value)


def _tag_mistakes(way: str, column: Column) -> list[str]:
    if column.kind is not Kind.LIST or column.list_syntax in ("native", way):
        return []
    if column.list_syntax.strip() == way.strip():
        return []
    syntax = column.list_syntax
    said = f'list = "{syntax}"' if syntax in ("json", "python") else f'separator = "{syntax}"'
    return [
        f"`tracks.tags` reads `{column.name}` as lists by `{way}`, but it holds values such as "
        f"{column.examples[0][:60]}; write {said}"
    ]


def _id_mistakes(spec: DatasetSpec, history: Table, catalogue: Table) -> list[str]:
    if same_content(history, catalogue):
        return [
            f"{catalogue.label} and {history.label} are the same file; leave [tracks] out and the "
            "catalogue is derived from the history"
        ]
    item, ids = history.column(spec.plays.track_column), catalogue.column(spec.tracks.id)
    if isinstance(spec.plays.track, ListSpec) and item.kind is not Kind.LIST:
        return []
    link: Link | None = link_between(item, catalogue, ids)
    shown = (", ".join(item.examples), ", ".join(ids.examples))
    if link is None:
        return [
            f"hardly any of the ids of `{item.name}` ({shown[0]}) is among those of `{ids.name}` "
            f"({shown[1]}); name the columns that hold the same ids"
        ]
    if link.repair:
        return [f"the ids ({shown[0]} and {shown[1]}) match only if one ignores {link.repair}"]
    if link.overlap < 0.95:
        return [
            f"about {1 - link.overlap:.0%} of the tracks played are not in the catalogue; their "
            "plays are left out"
        ]
    return []
