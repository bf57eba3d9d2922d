"""docs/lake.md and the input tables of docs/dataset.md, made from the contracts.

``python -m tasks.lake.contracts.document`` prints docs/lake.md.
"""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules

import pyarrow as pa

from tasks.lake.contracts import stages
from tasks.lake.contracts.contract import Column, Contract, StageContract
from tasks.lake.contracts.inputs import InputColumn
from tasks.lake.contracts.rules import is_list, leaf

HEAD = """\
# The lake

Stages hand each other Parquet files in `lake/<stage>/<key>/`; the key is a hash of all that decides
their content, and `stage.json` beside them lists each file with its digest. This page is made from
the contracts in tasks/lake/contracts/ (`python -m tasks.lake.contracts.document > docs/lake.md`).
Every stage is held to them before it counts as finished: a breach stops the run with the dataset,
the column and the number of rows, what the stage wrote is thrown away, and nothing is published.

Keys are numbers given out in byte order of the ids: `track_key` among all tracks of the catalogue,
`played_key` among those that somebody has played, `user_key` among the listeners. Numbers are
finite unless said otherwise.
"""

_TYPES = {pa.string(): "strings", pa.int32(): "int32", pa.int16(): "int16", pa.int8(): "int8"}


def lake_page() -> str:
    """Return docs/lake.md."""
    parts = [HEAD]
    for stage in stage_contracts():
        parts.append(f"## {stage.stage}\n")
        parts += [_dataset(name, contract) for name, contract in stage.datasets.items()]
    return "\n".join(parts)


def stage_contracts() -> list[StageContract]:
    """Return the contracts of all stages, in the order of their names."""
    found = []
    for module in iter_modules(stages.__path__, f"{stages.__name__}."):
        declared = vars(import_module(module.name)).values()
        found += [value for value in declared if isinstance(value, StageContract)]
    return sorted(found, key=lambda contract: contract.stage)


def input_table(columns: Iterable[InputColumn]) -> list[str]:
    """Return the lines of the table that describes an input file in docs/dataset.md."""
    lines = ["| column | must be there | holds | believed | meaning |", "|---|---|---|---|---|"]
    for column in columns:
        required = "yes" if column.required else "no"
        cells = [f"`{column.name}`", required, column.holds, _believed(column), column.meaning]
        lines.append(_row(cells))
    return lines


def _dataset(name: str, contract: Contract) -> str:
    files = f"{name}_000, {name}_001, …" if contract.in_parts else f"{name}.parquet"
    order = "sorted by" if contract.is_sorted else "in no order, without two equal"
    promises = [
        f"One row per {contract.rows}, {order} {_names(contract.key)} ({files}).",
        *(f"{_names([column])} ascends too." for column in contract.ascending),
        *(f"{_names(contract.apart)} differ." for _ in [0] if contract.apart),
        *(f"Equally long: {_names(names)}." for names in contract.parallel),
    ]
    lines = [
        f"### {name}",
        "",
        " ".join(promises),
        "",
        "| column | type | may be empty | range | meaning |",
        "|---|---|---|---|---|",
        *(_column(column) for column in contract.columns),
    ]
    for further in contract.further:
        finite = "" if further.finite else "NaN too"
        lines.append(_row(["…", str(further.type), "yes", finite, further.meaning]))
    return "\n".join([*lines, ""])


def _column(column: Column) -> str:
    kind = leaf(column.type)
    type_ = f"list of {_TYPES.get(kind, kind)}" if is_list(column.type) else str(kind)
    empty = "may be absent" if column.optional else "yes" if column.nullable else "no"
    range_ = _range(column.low, column.high)
    if column.never is not None:
        range_ += f", never {column.never:g}"
    if column.one_of:
        range_ = ", ".join(f"`{value}`" for value in column.one_of)
    return _row([f"`{column.name}`", type_, empty, range_, column.meaning])


def _believed(column: InputColumn) -> str:
    if column.zero_is_unknown:
        return "not 0"
    if column.above is not None:
        return f"above {column.above:g}"
    if column.holds == "count":
        return f"{_range(column.low, column.high)} to `max_plays`"
    return _range(column.low, column.high)


def _range(low: float | None, high: float | None) -> str:
    said = ("" if low is None else f"from {low:.10g}", "" if high is None else f"to {high:.10g}")
    return " ".join(one for one in said if one)


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _row(cells: Iterable[str]) -> str:
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


def main() -> None:
    """Print docs/lake.md."""
    print(lake_page(), end="")


if __name__ == "__main__":
    main()
