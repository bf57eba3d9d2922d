"""How far a dataset has moved from the release that readers see now."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from tasks.ingest.checks import quality_table
from tasks.ingest.limits import DriftLimits, IngestLimits
from tasks.lake.record import StageResult

QUERIES = Path(__file__).parent / "drift_queries"
_COUNTED = ("tracks", "users", "listens")
_SHOWN = 3

Row = dict[str, object]
Query = Callable[[str], list[tuple[object, ...]]]


def drift_checks(
    result: StageResult,
    current_release: Path | None,
    limits: IngestLimits | DriftLimits | None = None,
    dataset: str | None = None,
) -> pa.Table:
    """Compare row counts and distributions of an ingest result with the current release.

    ``current_release`` is the release's DuckDB file (None: there is none yet); it is opened
    read-only. With ``dataset`` a release that names another dataset is not compared. What cannot
    be compared is skipped, never an error. Returns `DATA_QUALITY` rows, all of severity warn.
    """
    drift = limits.drift if isinstance(limits, IngestLimits) else limits or DriftLimits()
    if current_release is None or not current_release.exists():
        return quality_table(_skipped("there is no release to compare with"))
    try:
        with duckdb.connect(str(current_release), read_only=True) as old:
            if (other := _dataset_of(old)) is not None and dataset not in (None, other):
                return quality_table(
                    _skipped(f"the current release is of another dataset: {other}")
                )
            with duckdb.connect() as new:
                _show(new, result)
                return quality_table(_compared(_asking(old), _asking(new), drift))
    except duckdb.Error as error:
        return quality_table(_skipped(f"the current release cannot be read: {error}"))


def _names() -> list[str]:
    return [
        *(f"drift_{name}" for name in _COUNTED),
        *(f"drift_{path.stem}" for path in sorted(QUERIES.glob("*.sql"))),
    ]


def _skipped(why: str) -> list[Row]:
    return [_row(name, "skipped", None, "a release of the same dataset", why) for name in _names()]


def _row(name: str, status: str, observed: float | None, expected: str, details: str) -> Row:
    return {
        "check_name": name,
        "severity": "warn",
        "status": status,
        "observed": observed,
        "expected": expected,
        "details": details,
    }


def _dataset_of(release: duckdb.DuckDBPyConnection) -> str | None:
    """Return the dataset a release says it is of, None if it does not say."""
    try:
        rows = release.execute("SELECT dataset FROM release").fetchall()
    except duckdb.Error:
        return None
    return str(rows[0][0]) if rows and rows[0][0] is not None else None


def _show(con: duckdb.DuckDBPyConnection, result: StageResult) -> None:
    """Give the new tables the names that a release has for them."""
    for name, dataset in (("tracks", "tracks"), ("users", "users"), ("listens", "interactions")):
        con.read_parquet(str(result[dataset].path)).create_view(name)


def _asking(con: duckdb.DuckDBPyConnection) -> Query:
    return lambda sql: con.execute(sql).fetchall()


def _compared(old: Query, new: Query, limits: DriftLimits) -> list[Row]:
    rows = [_one(f"drift_{name}", _compare_rows, name, old, new, limits) for name in _COUNTED]
    for path in sorted(QUERIES.glob("*.sql")):
        rows.append(_one(f"drift_{path.stem}", _compare_bins, path.read_text(), old, new, limits))
    return rows


def _one(
    name: str,
    compare: Callable[[str, str, Query, Query, DriftLimits], Row],
    what: str,
    old: Query,
    new: Query,
    limits: DriftLimits,
) -> Row:
    try:
        return compare(name, what, old, new, limits)
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        return _row(name, "skipped", None, "a release with this relation", first)


def _compare_rows(name: str, relation: str, old: Query, new: Query, limits: DriftLimits) -> Row:
    sql = f"SELECT count(*) FROM {relation}"  # one of _COUNTED
    before, now = (int(str(ask(sql)[0][0])) for ask in (old, new))
    change = (now - before) / max(1, before)
    fine = -limits.fewer_rows <= change <= limits.more_rows
    expected = f"from -{limits.fewer_rows:g} to +{limits.more_rows:g} of the rows before"
    return _row(name, _status(fine), change, expected, f"{relation}: {before:,} → {now:,}")


def _compare_bins(name: str, sql: str, old: Query, new: Query, limits: DriftLimits) -> Row:
    before, now = _shares(old(sql)), _shares(new(sql))
    moved = {key: now.get(key, 0.0) - before.get(key, 0.0) for key in {**before, **now}}
    # Total variation distance: ½ Σ |p − q|; the same number whatever order the bins come in
    distance = math.fsum(abs(change) for change in moved.values()) / 2
    largest = sorted(moved, key=lambda key: (-abs(moved[key]), key))[:_SHOWN]
    shown = ", ".join(
        f"{key} {before.get(key, 0.0):.1%} → {now.get(key, 0.0):.1%}" for key in largest
    )
    return _row(
        name,
        _status(distance <= limits.distribution),
        distance,
        f"a distance of at most {limits.distribution:g}",
        shown or "no rows",
    )


def _shares(bins: list[tuple[object, ...]]) -> Mapping[str, float]:
    counts = {str(name): int(str(rows)) for name, rows in bins}
    total = max(1, sum(counts.values()))
    return {name: rows / total for name, rows in counts.items()}


def _status(fine: bool) -> str:
    return "passed" if fine else "failed"
