"""Which table is the history, which the catalogue, and which columns hold the ids."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import log10
from pathlib import Path

from tasks.dataset.detect.names import (
    CATALOGUE_FILES,
    COUNT,
    HISTORY_FILES,
    RATING,
    TAGS,
    TITLE,
    file_words,
    has,
    is_id_name,
    is_known_name,
    is_made_up,
    item_strength,
    same_name,
    user_strength,
)
from tasks.dataset.detect.table import Table
from tasks.dataset.detect.values import Column, Kind, split_list

_MOST_PAIRS = 12
"""Pairs of columns whose values are looked at, the best by name."""

_MOST_IDS = 30_000
"""Distinct ids of a column that are compared."""


def _plain_number(value: str) -> str:
    """Write a whole number in scientific notation with all its digits: 7.65E+09 is 7650000000."""
    if not re.fullmatch(r"[+-]?\d(\.\d+)?[eE]\+?\d{1,2}", value.strip()):
        return value.strip()
    return f"{float(value):.0f}"


_NORMALISERS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("spaces around them", str.strip),
    ("`.0` at the end", lambda value: value.strip().removesuffix(".0")),
    ("leading zeros", lambda value: value.strip().lstrip("0")),
    ("upper and lower case", lambda value: value.strip().casefold()),
    ("a prefix", lambda value: value.strip().replace("/", ":").rpartition(":")[2]),
    ("scientific notation", _plain_number),
    ("letters before the number", lambda value: re.sub(r"^[A-Za-z_-]+0*", "", value.strip())),
)  # fmt: skip
"""Ways in which two systems write the same id."""


@dataclass(frozen=True, eq=False)  # compared by identity: samples are large
class Link:
    """An id column of a catalogue that holds the ids of a history's column."""

    table: Table
    column: Column
    overlap: float
    """Share of the history's ids that the catalogue has, scaled up for partial samples."""
    repair: str
    """What the ids differ in, if they match only after normalising."""
    score: float


@dataclass(frozen=True)
class Match:
    """The roles of tables and of their id columns."""

    history: Table
    user: Column
    item: Column
    link: Link | None
    users: tuple[Column, ...]
    """Other columns that could be the listener, the best first."""
    items: tuple[Column, ...]
    """Other columns that could be the track."""
    links: tuple[Link, ...]
    """Other catalogues or id columns."""
    histories: tuple[Table, ...]
    """Other tables that could be the history."""
    score: float
    margin: float
    """How far the second best pair of columns is behind."""


def match_tables(
    tables: Sequence[Table],
    history: str | None = None,
    user: str | None = None,
    item: str | None = None,
) -> Match | None:
    """Find history, listener and track; what is given is kept. None if nothing is plausible."""
    found = [
        one for table in tables if history in (None, table.paths[0])
        if (one := _match_history(table, tables, user, item)) is not None
    ]  # fmt: skip
    found = [one for one in found if one.score > 1.0 or history]
    if not found:
        return None
    found.sort(key=lambda one: -(one.score + _history_bonus(one.history)))
    others = tuple(one.history for one in found[1:])
    return replace(found[0], histories=others)


def _history_bonus(table: Table) -> float:
    stem = file_words(Path(table.paths[0]).name.split(".", 1)[0])
    bonus = 0.6 * bool(stem & HISTORY_FILES) - 0.3 * bool(stem & CATALOGUE_FILES)
    bonus += 0.3 * log10(max(1, table.whole_rows))
    for column in table.columns:
        bonus += 0.2 * (column.is_number and has(column.name, COUNT | RATING))
        bonus -= 0.5 * (column.kind is not Kind.LIST and has(column.name, TAGS))
    return bonus


def _match_history(
    table: Table, tables: Sequence[Table], user: str | None, item: str | None
) -> Match | None:
    columns = [column for column in table.columns if may_be_id(column)]
    pairs = [
        (_name_score(table, one, other), one, other)
        for one, other in permutations(columns, 2)
        if user in (None, one.name) and item in (None, other.name)
        if one.kind is not Kind.LIST
    ]
    pairs.sort(key=lambda triple: -triple[0])
    links: dict[str, list[Link]] = {}
    scored: list[tuple[float, Column, Column]] = []
    for names, one, other in pairs[:_MOST_PAIRS]:
        structure = _structure_score(table, one, other)
        if names + structure < -0.5:
            continue
        if other.name not in links:
            links[other.name] = _links(other, table, tables)
        best = links[other.name][0] if links[other.name] else None
        score = names + structure + (0.6 * best.score if best else 0.0)
        if other.kind is Kind.LIST:
            score += _list_score(one, other, best)
        scored.append((score, one, other))
    if not scored:
        return None
    scored.sort(key=lambda triple: -triple[0])
    score, one, other = scored[0]
    other = _finest(table, one, other, [i for _, u, i in scored if u is one])
    rival = next((s for s, u, i in scored[1:] if {u.name, i.name} != {one.name, other.name}), 0.0)
    swapped = next((s for s, u, i in scored[1:] if (u, i) == (other, one)), 0.0)
    found = links[other.name]
    return Match(
        table, one, other, found[0] if found else None,
        tuple(dict.fromkeys(u for _, u, _ in scored if u not in (one, other)))[:6],
        tuple(dict.fromkeys(i for _, _, i in scored if i not in (one, other)))[:6],
        tuple(found[1:6]), (), score, score - max(rival, swapped),
    )  # fmt: skip


def _list_score(user: Column, item: Column, link: Link | None) -> float:
    """Score lists of tracks: their items are in a catalogue, or named as tracks, and recur."""
    if link:
        return 0.3 if link.overlap > 0.5 else -2.0
    recur = item.list_items * min(item.count, 2000) > 2 * item.parts
    return 0.0 if recur and item_strength(item.name) == 1 and user_strength(user.name) else -2.0


def _finest(table: Table, user: Column, item: Column, others: Sequence[Column]) -> Column:
    """Among columns without names, prefer the track over the artist, who has several of them."""
    if not (table.dialect and table.dialect.names_are_made_up):
        return item
    for other in others:
        if other is user or Kind.LIST in (item.kind, other.kind) or other.filled < 0.9:
            continue
        pairs = set(zip(item.values, other.values, strict=True))
        if other.distinct > 1.2 * item.distinct and len(pairs) < 1.05 * other.distinct:
            item = other
    return item


def may_be_id(column: Column) -> bool:
    """Tell whether a column could hold ids at all."""
    if column.is_time or column.kind in (Kind.EMPTY, Kind.OBJECT, Kind.BOOLEAN):
        return False
    if column.kind is Kind.DECIMAL:
        return False
    if column.kind is Kind.LIST:
        return column.list_items > 1.5
    sample = column.examples
    return sum(map(len, sample)) < 100 * max(1, len(sample))


def _name_score(table: Table, user: Column, item: Column) -> float:
    """Score two columns as listener and track by their names, places and kinds."""
    score = 1.5 * user_strength(user.name) - 1.2 * item_strength(user.name)
    score += item_strength(item.name) - 1.5 * user_strength(item.name)
    if is_known_name(user.name) and not user_strength(user.name) and not is_id_name(user.name):
        score -= 1.2  # it means something else
    if is_known_name(item.name) and not item_strength(item.name):
        score -= 0.6
    position = [column.name for column in table.columns]
    score += 0.3 * (position.index(user.name) < position.index(item.name))
    score += 0.1 * (position.index(user.name) == 0)
    for column in (user, item):
        score += 0.3 * is_id_name(column.name)
        score -= 2.0 * (1 - column.filled)
        if column.kind is Kind.INTEGER and not is_id_name(column.name):
            # Small numbers of few values are counts or ratings.
            score -= 1.5 * (column.distinct <= 21 and table.rows > 200)
            score -= 0.8 * has(column.name, COUNT | RATING)
        if column.distinct <= 3 and table.rows > 50:
            score -= 1.5
    return score


def _structure_score(table: Table, user: Column, item: Column) -> float:
    """Score two columns by how their values pair up: many tracks a listener, and the reverse."""
    if item.kind is Kind.LIST or table.rows <= 20:
        return 0.0
    score = 0.4 if user.uniqueness < 0.7 else -1.5
    if user.distinct <= 20 and table.rows > 1000:
        score -= 1.0
    if any(c.uniqueness == 1 and item_strength(c.name) > 0.5 for c in table.columns):
        score -= 1.5  # a row per track: a catalogue
    score += 0.4 if item.uniqueness < 0.7 else -1.0
    pairs = len(set(zip(user.values, item.values, strict=True)))
    return score + (0.6 if pairs > 1.5 * max(user.distinct, item.distinct) else -1.5)


def _links(column: Column, table: Table, tables: Sequence[Table]) -> list[Link]:
    ids = id_values(column)
    if not ids:
        return []
    links = [
        link
        for other in tables
        if other is not table
        for candidate in other.columns
        if may_be_id(candidate) and candidate.kind is not Kind.LIST
        if candidate.distinct >= 0.3 * other.rows and candidate.filled > 0.8
        if (link := _link(column, ids, other, candidate)) is not None
    ]
    links.sort(key=lambda link: -link.score)
    return links


def link_between(column: Column, table: Table, candidate: Column) -> Link | None:
    """Return how a history's column links to a column of a catalogue; None if hardly at all."""
    ids = id_values(column)
    return _link(column, ids, table, candidate) if ids else None


def _link(column: Column, ids: set[str], other: Table, candidate: Column) -> Link | None:
    theirs = {value for value in candidate.values if value is not None}
    shared, repair = len(ids & theirs), ""
    named = same_name(column.name, candidate.name) and not is_made_up(column.name)
    alike = named or item_strength(candidate.name) > 0.3
    if shared < 0.5 * len(ids) * min(1.0, other.share) and alike:
        for what, normalise in _NORMALISERS:
            common = len(
                {normalise(value) for value in ids} & {normalise(v) for v in theirs} - {""}
            )
            if common > 2 * shared and common > 0.3 * len(ids) * min(1.0, other.share):
                shared, repair = common, what
    overlap = min(1.0, shared / len(ids) / max(other.share, 1e-9))
    if overlap < 0.02:
        return None
    if named:
        name = 1.0
    elif user_strength(candidate.name) > 0.5:
        name = -1.0
    else:
        name = 0.5 * item_strength(candidate.name) + 0.2 * is_id_name(candidate.name)
    score = 2 * overlap + 0.5 * min(1.0, shared / max(1, len(theirs))) + name
    score += 0.4 * any(_may_be_title(c) for c in other.columns)
    score += 0.2 * (candidate.distinct == candidate.rows) - 0.5 * bool(repair)
    stem = file_words(Path(other.paths[0]).name.split(".", 1)[0])
    score += 0.2 * bool(stem & CATALOGUE_FILES)
    if user_strength(Path(other.paths[0]).stem) > 0.5:
        score -= 0.8
    return Link(other, candidate, overlap, repair, score)


def _may_be_title(column: Column) -> bool:
    """Tell whether a column names the tracks, by its name or by texts that differ."""
    by_name = has(column.name, TITLE)
    by_text = is_made_up(column.name) and column.uniqueness > 0.8
    return column.kind is Kind.TEXT and (by_name or by_text)


def id_values(column: Column) -> set[str]:
    """Return distinct ids of a column, those inside of lists too."""
    found: set[str] = set()
    for value in column.values:
        if value is None or not value.strip():
            continue
        if column.kind is Kind.LIST:
            found.update(split_list(value, column.list_syntax, column.key))
        else:
            found.add(value)
        if len(found) > _MOST_IDS:
            break
    return found
