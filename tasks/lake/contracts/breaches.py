"""Hold tables and files to their contracts: what is broken, and in how many rows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.lake.contracts.contract import Contract, StageContract
from tasks.lake.contracts.rules import Footer, Reach, Rule, is_list, leaf, rules
from warehouse.errors import RunError

_SHOWN = 3


@dataclass(frozen=True)
class Breach:
    """What a dataset breaks of its contract."""

    dataset: str
    columns: tuple[str, ...]
    what: str
    rows: int

    def __str__(self) -> str:
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return f"{self.dataset}.{', '.join(self.columns)} {self.what} ({rows})"


def breaches(dataset: str, contract: Contract, table: pa.Table) -> list[Breach]:
    """Return what a table in memory breaks of its contract."""
    if wrong := list(_wrong_columns(dataset, contract, table.schema, table.num_rows)):
        return wrong
    counted = [(rule, rule.count(table)) for rule in rules(contract, table.schema)]
    return [Breach(dataset, rule.columns, rule.what, rows) for rule, rows in counted if rows]


def file_breaches(dataset: str, contract: Contract, files: Sequence[Path]) -> list[Breach]:
    """Return what a dataset's files, one after the other, break of its contract.

    The first row group is read in full, of the others only what their footers leave open. One is
    in memory at a time, and whole columns only where the key has no order.
    """
    tallies: list[_Tally] = []
    for number, path in enumerate(files):
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            if wrong := list(_wrong_columns(dataset, contract, schema, rows)):
                return wrong
            tallies = tallies or [_Tally(rule) for rule in rules(contract, schema)]
            position = {name: place for place, name in enumerate(schema.names)}
            for group in range(file.num_row_groups):
                footer = Footer(file.metadata.row_group(group), position)
                is_first = number == group == 0
                still = [one for one in tallies if is_first or not one.rule.kept(footer)]
                needed = {name for tally in still for name in tally.rule.columns}
                table = file.read_row_group(group, columns=sorted(needed))
                for tally in still:
                    tally.see(table)
    counted = [(tally.rule, tally.total()) for tally in tallies]
    return [Breach(dataset, rule.columns, rule.what, rows) for rule, rows in counted if rows]


def hold(contract: StageContract, files: Mapping[str, Path]) -> None:
    """Raise RunError when a dataset that the stage wrote breaks its contract, or has none.

    ``files`` are named after their datasets; parts of one have a number at the end.
    """
    datasets: dict[str, list[Path]] = {}
    for name in sorted(files):
        datasets.setdefault(re.sub(r"_\d+$", "", name), []).append(files[name])
    if undeclared := sorted(datasets.keys() - contract.datasets.keys()):
        raise RunError(
            f"the stage {contract.stage} writes {undeclared[0]}, for which no contract is "
            "declared; declare it in tasks/lake/contracts/stages/"
        )
    found = [
        breach
        for name, paths in datasets.items()
        for breach in file_breaches(name, contract.datasets[name], paths)
    ]
    if found:
        shown = "; ".join(str(breach) for breach in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
        raise RunError(
            f"the stage {contract.stage} broke the contract of its data: {shown}{more}; nothing "
            "was published, and as this is a fault of the program and not of the input, report it"
        )


@dataclass
class _Tally:
    """Counts the rows that break a rule, table after table."""

    rule: Rule
    rows: int = 0
    kept: list[pa.Table] = field(default_factory=list)
    """What the next table must be seen together with."""

    def see(self, table: pa.Table) -> None:
        part = table.select(self.rule.columns)
        if self.rule.reach is Reach.TABLE:
            self.kept.append(part)
            return
        self.rows += self.rule.count(pa.concat_tables([*self.kept, part]))
        if self.rule.reach is Reach.NEIGHBOURS and part.num_rows:
            self.kept = [part.slice(part.num_rows - 1)]

    def total(self) -> int:
        if self.rule.reach is Reach.TABLE and self.kept:
            return self.rule.count(pa.concat_tables(self.kept))
        return self.rows


def _wrong_columns(
    dataset: str, contract: Contract, schema: pa.Schema, rows: int
) -> Iterator[Breach]:
    """Yield columns that are missing, of another type, or not in the contract."""
    for column in contract.columns:
        if column.name in schema.names:
            if not _is_like(schema.field(column.name).type, column.type):
                yield Breach(dataset, (column.name,), f"is not {column.type}", rows)
        elif not column.optional:
            yield Breach(dataset, (column.name,), "is missing", rows)
    declared = {column.name for column in contract.columns}
    allowed = {further.type for further in contract.further}
    for extra in schema:
        if extra.name not in declared and extra.type not in allowed:
            yield Breach(dataset, (extra.name,), "is not in the contract", rows)


def _is_like(found: pa.DataType, declared: pa.DataType) -> bool:
    """Tell whether the types agree; lists that are all equally long are lists too."""
    return is_list(found) == is_list(declared) and bool(leaf(found) == leaf(declared))
