"""The whole proposal: every field of a dataset TOML, and what else a user should know."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from tasks.dataset.detect.catalogue import catalogue_decisions, derived_decisions
from tasks.dataset.detect.decision import Decision
from tasks.dataset.detect.dialect_fields import dialect_decisions
from tasks.dataset.detect.identity import (
    refuse_lost_digits,
    refuse_other_ids,
    refuse_repair,
)
from tasks.dataset.detect.inputs import Inputs, Unused
from tasks.dataset.detect.matching import Link, Match, id_values, match_tables
from tasks.dataset.detect.names import ORDERS, has, is_id_name, item_strength, user_strength
from tasks.dataset.detect.strength import MANY, is_missing_id, quoted, strength_decisions
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.detect.table import Table, have_same_columns, joined, repeats
from tasks.dataset.detect.times import how_written, time_decision
from tasks.dataset.detect.values import Column, Kind
from tasks.dataset.detect.wide import refuse_wide_matrix
from warehouse.errors import InputError

Answers = Mapping[str, str]
"""Fields that the user decided: field → column or value, ``none`` to leave it out."""

STRUCTURAL = ("plays.path", "tracks.path", "plays.user", "plays.track", "tracks.id")
"""Fields that others follow from."""

DERIVED = "none"
"""Value of ``tracks.path`` for a catalogue that is derived from the history."""


@dataclass(frozen=True)
class Proposal:
    """What the files seem to be."""

    history: Table
    catalogue: Table | None
    """None: derived from the history."""
    decisions: tuple[Decision, ...]
    """In the order of the TOML."""
    unused: tuple[Unused, ...]
    warnings: tuple[str, ...]
    positions: Mapping[str, str] = field(default_factory=dict)
    """Names given to columns without a header, as ``plays.user`` → ``column_1``."""

    def value(self, field: str) -> Any:
        """Return what is proposed for a field, None if it is left out."""
        return next((d.value for d in self.decisions if d.field == field), None)

    def decision(self, field: str) -> Decision | None:
        """Return the decision on a field."""
        return next((one for one in self.decisions if one.field == field), None)

    @property
    def open_questions(self) -> tuple[Decision, ...]:
        """Decisions that are guesses."""
        return tuple(one for one in self.decisions if one.sureness is Sureness.GUESS)


def propose(inputs: Inputs, answers: Answers | None = None) -> Proposal:
    """Propose a dataset from the tables, keeping to what the user answered.

    Raises InputError where nothing is plausible.
    """
    answers = answers or {}
    kept: Sequence[Table] = inputs.tables
    for table in kept:
        refuse_wide_matrix(table)
    match, kept, copies = _whole_history(kept, answers)
    refuse_lost_digits(match.history, (match.user, match.item))
    link = _chosen_link(match, answers)
    if link is None and answers.get("tracks.path") != DERIVED:
        refuse_other_ids(match, kept)
    if link:
        refuse_repair(match, link)
    repair = link.repair if link else ""
    decisions = [_history_decision(match), *_catalogue_choice(match, link)]
    taken = [match.user.name, match.item.name]
    strengths = strength_decisions(match.history, (match.user, match.item))
    times = _time(match.history, [*taken, *_names(strengths)], answers.get("plays.at"))
    decisions += [_user(match), _track(match, link), *times, *strengths]
    if link:
        decisions += [_id(link, match), *catalogue_decisions(link.table, link.column)]
    else:
        used = [*taken, *_names(times), *_names(strengths)]
        decisions += derived_decisions(match.history, match.item, used)
    decisions = [_answered(one, answers) for one in decisions]
    decisions += dialect_decisions("plays", match.history, decisions, repair)
    if link:
        decisions += dialect_decisions("tracks", link.table, decisions, repair)
    _refuse_repeated(match.history, "plays", decisions)
    if link:
        _refuse_repeated(link.table, "tracks", decisions)
    proposal = Proposal(
        match.history,
        link.table if link else None,
        tuple(_answered(one, answers) for one in decisions),
        (*inputs.unused, *copies, *_unused(kept, match, link)),
        tuple(_warnings(match, link, kept)),
    )
    return name_columns(proposal)


def _refuse_repeated(table: Table, section: str, decisions: Sequence[Decision]) -> None:
    """Raise InputError if a field names a column of which the header has two."""
    header = table.dialect.columns if table.dialect else ()
    used = _names([one for one in decisions if one.field.startswith(section)])
    twice = next((name for name in header if name in used and header.count(name) > 1), None)
    if twice:
        raise InputError(f"{table.label} has two columns `{twice}`; rename one")


def _whole_history(
    kept: Sequence[Table], answers: Answers
) -> tuple[Match, Sequence[Table], list[Unused]]:
    """Find the history, join its other files to it, and leave out what repeats its rows."""
    chosen = [answers.get(field) for field in ("plays.path", "plays.user", "plays.track")]
    match = match_tables(kept, *chosen)
    if match is None:
        raise InputError(_no_history(kept))
    history = match.history
    alike = [one for one in kept if one is not history and have_same_columns(history, one)]
    copies = [one for one in alike if repeats(history, one)]
    more = [one for one in alike if one in match.histories and one not in copies]
    if alike:
        whole = reduce(joined, more, history)
        apart = [one for one in kept if one not in copies and one not in more]
        kept = [whole if one is history else one for one in apart]
        match = match_tables(kept, *chosen) or match
    said = [Unused(one.label, f"repeats rows of {history.label}") for one in copies]
    return match, kept, said


def _time(history: Table, taken: Sequence[str], answer: str | None) -> list[Decision]:
    """Return the decision on the time of the plays, if the history has one."""
    left = [column for column in history.columns if column.name not in taken]
    chosen = answer if answer in {column.name for column in left} else None
    decision = time_decision(left, chosen)
    return [decision] if decision else []


def _names(decisions: Sequence[Decision]) -> list[str]:
    """Return the columns that decisions use."""
    found: list[str] = []
    for one in decisions:
        if isinstance(one.value, Mapping):
            found.append(str(one.value["column"]))
        elif isinstance(one.value, str):
            found += [one.value, *re.findall(r"\w+", one.value)]
    return found


def _no_history(tables: Sequence[Table]) -> str:
    labels = ", ".join(table.label for table in tables)
    one = tables[0]
    columns = ", ".join(column.name for column in one.columns[:8])
    which = "none of the files looks" if len(tables) > 1 else "the file does not look"
    nested = next((c.name for table in tables for c in table.columns if c.kind is Kind.OBJECT), "")
    advice = f"; `{nested}` holds objects: write their values as columns of their own"
    lone = next((t for t in tables if len(t.columns) == 1), None)
    if lone and _is_aligned(lone.columns[0]):
        nested = "aligned"
        advice = f"; {lone.label} seems to align its columns with spaces: write one delimiter"
    return (
        f"{which} like a history of who listened to what ({labels}; {one.label} has the columns "
        f"{columns}); give a file with a listener and a track in every row too"
        f"{advice if nested else ''}"
    )


def _is_aligned(column: Column) -> bool:
    """Tell whether runs of spaces divide most lines of a text into as many parts."""
    parts = [len(re.split(r"\s{2,}", value.strip())) for value in column.values[:500] if value]
    return bool(parts) and parts.count(max(parts)) > 0.8 * len(parts) and max(parts) > 1


def _chosen_link(match: Match, answers: Answers) -> Link | None:
    wanted, column = answers.get("tracks.path"), answers.get("tracks.id")
    if wanted == DERIVED:
        return None
    links = [link for link in (match.link, *match.links) if link is not None]
    fitting = [
        link for link in links
        if wanted in (None, link.table.paths[0]) and column in (None, link.column.name)
    ]  # fmt: skip
    if wanted or column:
        if not fitting:
            raise InputError(
                f"no ids of `{match.item.name}` in {match.history.label} are in the catalogue that "
                "was chosen; choose another one"
            )
        return fitting[0]
    # Where next to nothing matches, chance or another kind of id is the likelier reason.
    plausible = [link for link in fitting if link.overlap >= 0.2 and link.score > 0.9]
    return plausible[0] if plausible else None


def _history_decision(match: Match) -> Decision:
    table = match.history
    alone = len(table.paths) == 1 and not match.histories
    sure = Sureness.SURE if alone else Sureness.LIKELY
    strong = user_strength(match.user.name) > 0.3 or match.link is not None
    reason = (
        f"about {table.whole_rows:,} rows that pair `{match.user.name}` and `{match.item.name}`"
    )
    if len(table.paths) > 1:
        reason += f", in {len(table.paths):,} files of the same columns"
    return Decision(
        "plays.path", list(table.paths), sure if strong else Sureness.GUESS, reason,
        tuple(other.paths[0] for other in match.histories),
    )  # fmt: skip


def _catalogue_choice(match: Match, link: Link | None) -> list[Decision]:
    choices = tuple(
        dict.fromkeys(other.table.paths[0] for other in match.links
                      if link is None or other.table is not link.table)
    )  # fmt: skip
    if link is None:
        return [
            Decision(
                "tracks.path",
                None,
                Sureness.SURE if not choices else Sureness.LIKELY,
                "no other file lists the tracks; the catalogue is derived",
                choices,
            )
        ]
    rivals = [other for other in match.links if other.table is not link.table]
    close = rivals and link.score - rivals[0].score < 0.3
    sure = Sureness.LIKELY if link.overlap < 0.8 else Sureness.SURE
    sure = Sureness.GUESS if close or link.overlap < 0.3 else sure
    reason = f"it has {link.overlap:.0%} of the tracks played, a row each"
    return [Decision("tracks.path", list(link.table.paths), sure, reason, (*choices, DERIVED))]


def _user(match: Match) -> Decision:
    strength = user_strength(match.user.name)
    rival = max((user_strength(other.name) for other in match.users), default=0.0)
    if has(match.user.name, ORDERS):
        sure, why = Sureness.GUESS, "an order rather than a listener, the nearest there is"
    elif strength > 0.6 and strength > rival:
        sure, why = Sureness.SURE, "by its name"
    elif strength and match.margin > 0.5:
        sure, why = Sureness.LIKELY, "by its name"
    elif match.link and match.link.overlap > 0.8 and match.margin > 1.0:
        sure, why = Sureness.LIKELY, "the other id column holds the tracks"
    else:
        sure, why = Sureness.GUESS, "by its place and how its values recur"
    reason = f"{why}; {match.user.distinct:,} different values such as {match.user.examples[0]}"
    return Decision(
        "plays.user", match.user.name, sure, reason, tuple(other.name for other in match.users)
    )


def _track(match: Match, link: Link | None) -> Decision:
    item, strength = match.item, item_strength(match.item.name)
    overlap = link.overlap if link else 0.0
    if overlap > 0.8 and (strength > 0.5 or match.margin > 1.0):
        sure = Sureness.SURE
    elif strength > 0.5 or (overlap > 0.3 and match.margin > 0.5):
        sure = Sureness.LIKELY
    else:
        sure = Sureness.GUESS
    example = item.examples[0] if item.kind is not Kind.LIST else min(id_values(item), default="")
    distinct = item.parts if item.kind is Kind.LIST else item.distinct
    shown = f"{distinct:,} different values such as {example[:40]}"
    reason = f"{overlap:.0%} of its ids are in the catalogue; {shown}" if link else shown
    value: Any = item.name
    if item.kind is Kind.LIST:
        syntax = "json" if item.list_syntax == "native" else item.list_syntax
        value = {"column": item.name, "list": syntax} | ({"key": item.key} if item.key else {})
        reason += "; a list of tracks in every row"
    return Decision("plays.track", value, sure, reason, tuple(o.name for o in match.items))


def _id(link: Link, match: Match) -> Decision:
    others = tuple(
        dict.fromkeys(o.column.name for o in match.links
                      if o.table is link.table and o.column is not link.column)
    )  # fmt: skip
    close = [o for o in match.links if o.table is link.table and link.score - o.score < 0.3]
    sure = Sureness.SURE if link.overlap > 0.8 else Sureness.LIKELY
    if close or link.overlap < 0.3:
        sure = Sureness.GUESS
    known = f"; they differ in {link.repair}" if link.repair else ""
    reason = f"{link.overlap:.0%} of the ids in the history are here{known}"
    return Decision("tracks.id", link.column.name, sure, reason, others)


def _answered(decision: Decision, answers: Answers) -> Decision:
    """Put the user's answer in place of a proposal."""
    answer = answers.get(decision.field)
    if answer is None:
        return decision
    value: Any = decision.value
    if decision.field in ("plays.path", "tracks.path"):
        return replace(decision, sureness=Sureness.SURE, reason="as you answered")
    if answer.lower() == "none":
        value = None
    elif decision.field == "plays.strength":
        value = {**decision.value, "min": float(answer)}
    elif isinstance(decision.value, Mapping) and answer == decision.value.get("column"):
        value = decision.value
    elif isinstance(decision.value, bool):
        value = answer.lower() in ("true", "yes", "y")
    else:
        value = answer
    return replace(decision, value=value, sureness=Sureness.SURE, reason="as you answered")


def _unused(tables: Sequence[Table], match: Match, link: Link | None) -> list[Unused]:
    found: list[Unused] = []
    for table in tables:
        if table is match.history or (link and table is link.table):
            continue
        names = {column.name.lower() for column in table.columns}
        if any(table is other for other in match.histories):
            reason = "pairs listeners and tracks too, but looks less like plays"
        elif match.user.name.lower() in names and match.item.name.lower() not in names:
            reason = "describes listeners"
        elif any(other.table is table for other in match.links):
            reason = "lists the tracks too, but with less to show"
        else:
            reason = "has nothing that the history refers to"
        found.append(Unused(table.label, reason))
    return found


def _orders(match: Match, tables: Sequence[Table]) -> list[str]:
    """Say which file tells whose an order is, where the history has orders for listeners."""
    if not has(match.user.name, ORDERS):
        return []
    for table in tables:
        named = {column.name for column in table.columns}
        users = [name for name in named if user_strength(name) > 0.6]
        if table is not match.history and match.user.name in named and users:
            return [
                f"{table.label} has `{match.user.name}` beside `{users[0]}`: join it to "
                f"{match.history.label} for listeners instead of orders"
            ]
    return []


def _warnings(match: Match, link: Link | None, tables: Sequence[Table]) -> list[str]:
    found = [
        f"{table.label}: {note}"
        for table in (match.history, link.table if link else None)
        if table
        for note in table.notes
    ]
    times = [column for column in match.history.columns if column.is_time]
    if times and all(how_written(column) is None for column in times):
        found.append(
            f"`{times[0].name}` in {match.history.label} is a time such as {times[0].examples[0]}; "
            f'to use it, write at = {{ column = "{times[0].name}", format = "…" }}'
        )
    nested = [column.name for column in match.history.columns if column.kind is Kind.OBJECT]
    if nested:
        shown = ", ".join(f"`{name}`" for name in nested[:5])
        found.append(
            f"{shown} in {match.history.label} {'holds' if len(nested) == 1 else 'hold'} objects, "
            "which are not read; write their values as columns of their own to use them"
        )
    found += _orders(match, tables)
    repeated = _repeated_rows(match.history)
    if repeated > 0.1 * match.history.rows and len(match.history.columns) > 2:
        found.append(
            f"{repeated:,} of {match.history.rows:,} sampled rows of {match.history.label} repeat "
            "another one exactly; their plays add up, unless the file was put together twice"
        )
    for column in (match.user, match.item):
        missing = sum(map(is_missing_id, column.values))
        if 0 < missing <= MANY * column.rows:
            found.append(
                f"{missing:,} of {column.rows:,} sampled rows of {match.history.label} have no "
                f"`{column.name}` and will be rejected"
            )
    if link and link.overlap < 0.95:
        found.append(
            f"about {1 - link.overlap:.0%} of the tracks played are not in {link.table.label}; "
            "their plays will be left out"
        )
    if not link and not is_id_name(match.item.name) and _shared_titles(match):
        found.append(
            f"`{match.item.name}` is a title that several creators use; their tracks count as one"
        )
    return found


def _repeated_rows(table: Table) -> int:
    rows = zip(*(column.values for column in table.columns), strict=True)
    return table.rows - len(set(rows))


def _shared_titles(match: Match) -> bool:
    from tasks.dataset.detect.content_columns import creator_score

    creators = [c for c in match.history.columns if creator_score(c) > 0 and c is not match.item]
    if not creators:
        return False
    pairs = len(set(zip(match.item.values, creators[0].values, strict=True)))
    return pairs > 1.02 * match.item.distinct


_ROLES = {
    "plays.user": "user",
    "plays.track": "track",
    "plays.at": "time",
    "plays.count": "count",
    "plays.strength": "rating",
    "plays.title": "title",
    "plays.creator": "creator",
    "tracks.id": "id",
    "tracks.title": "title",
    "tracks.creator": "creator",
    "tracks.tags": "tags",
    "tracks.genre": "genre",
    "tracks.year": "year",
    "tracks.preview_url": "preview_url",
    "tracks.cover_url": "cover_url",
}
"""Names for columns of files without a header."""


def name_columns(proposal: Proposal) -> Proposal:
    """Give the columns of files without a header names that say what they hold."""
    history, catalogue = proposal.history, proposal.catalogue
    decisions = list(proposal.decisions)
    warnings = list(proposal.warnings)
    positions: dict[str, str] = {}
    for section, table in (("plays", history), ("tracks", catalogue)):
        if table is None or table.dialect is None or not table.dialect.names_are_made_up:
            continue
        names = _new_names(section, table, decisions)
        renamed = tuple(replace(c, name=names[c.name]) for c in table.columns)
        dialect = replace(table.dialect, columns=tuple(names.values()))
        new = replace(table, columns=renamed, dialect=dialect)
        positions.update({f"{section}.{new_name}": old for old, new_name in names.items()})
        warnings = [_with_names(one, names) if table.label in one else one for one in warnings]
        history, catalogue = (new, catalogue) if section == "plays" else (history, new)
        decisions = [
            _renamed(one, names) if one.field.startswith(section + ".") else one
            for one in decisions
        ]
    return replace(
        proposal, history=history, catalogue=catalogue, decisions=tuple(decisions),
        warnings=tuple(warnings), positions=positions,
    )  # fmt: skip


def _new_names(section: str, table: Table, decisions: Sequence[Decision]) -> dict[str, str]:
    names = {column.name: column.name for column in table.columns}
    for one in decisions:
        role = _ROLES.get(one.field)
        column = one.value["column"] if isinstance(one.value, Mapping) else one.value
        if not (one.field.startswith(section + ".") and role and isinstance(column, str)):
            continue
        if names.get(column) == column and role not in names.values():
            names[column] = role
    for column in table.columns:
        if column.is_time and names[column.name] == column.name and "time" not in names.values():
            names[column.name] = "time"
        if names[column.name] == column.name and _is_event(column, section, decisions):
            names[column.name] = "event"
    return names


def _is_event(column: Column, section: str, decisions: Sequence[Decision]) -> bool:
    where = next((d.value for d in decisions if d.field == f"{section}.where"), None)
    return isinstance(where, str) and re.search(rf"\b{column.name}\b", where) is not None


def _renamed(decision: Decision, names: Mapping[str, str]) -> Decision:
    def new(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: new(inner) if key == "column" else inner for key, inner in value.items()}
        if isinstance(value, list):
            return [new(inner) for inner in value]
        return names.get(value, value) if isinstance(value, str) else value

    value = new(decision.value)
    if decision.field.endswith(".where") and isinstance(value, str):
        value = re.sub(
            r"\bcolumn_\d+\b", lambda found: quoted(names.get(found[0], found[0])), value
        )
    reason = _with_names(decision.reason, names)
    return replace(
        decision, value=value, reason=reason,
        choices=tuple(names.get(one, one) for one in decision.choices),
    )  # fmt: skip


def _with_names(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"`(column_\d+)`", lambda found: f"`{names.get(found[1], found[1])}`", text)
