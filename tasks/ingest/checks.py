"""Checks of what was read: each a query in ``checks/`` that returns the offending rows.

A check's comment says what it looks for, then ``-- warn:`` and ``-- stop:`` name the limit (a
field of `IngestLimits`, nothing at all, or everything) beyond which it warns or stops the run,
``-- of:`` the count that the offending rows are a share of, ``-- allow:`` a number of rows that
always passes, ``-- needs:`` a fact without which the check is skipped, and ``-- only:`` one without
which there is no such check. The query returns
``offence`` (what) and ``rows`` (how many rows it concerns; 0 for a remark on the others).
"""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import duckdb
import pyarrow as pa

from tasks.ingest.limits import IngestLimits
from tasks.lake.contracts.breaches import breaches
from tasks.lake.contracts.quality import DATA_QUALITY
from tasks.lake.contracts.stages.ingest import STAGE
from warehouse.errors import InputError

logger = logging.getLogger("crossfade")

CHECKS = Path(__file__).parent / "checks"
_SHOWN = 3
_BOUNDS = {"nothing": 0.0, "everything": 1.0}
"""Limits that are no settings."""


@dataclass(frozen=True)
class Check:
    """One check: its query and what its comment says."""

    name: str
    purpose: str
    sql: str
    settings: Mapping[str, str]

    @classmethod
    def load(cls, path: Path) -> "Check":
        """Read a check from its file."""
        text = path.read_text()
        head = takewhile(lambda line: line.startswith("-- "), text.splitlines())
        comments = [line.removeprefix("-- ") for line in head]
        settings = dict(line.split(": ", 1) for line in comments if re.match(r"\w+: \w+$", line))
        purpose = " ".join(line for line in comments if not re.match(r"\w+: \w+$", line))
        return cls(path.stem, purpose, text, settings)


def all_checks(folder: Path = CHECKS) -> list[Check]:
    """Return the checks of a folder, by name."""
    return [Check.load(path) for path in sorted(folder.glob("*.sql"))]


def run_checks(
    con: duckdb.DuckDBPyConnection,
    counts: Mapping[str, int],
    limits: IngestLimits,
    facts: frozenset[str],
    folder: Path = CHECKS,
) -> list[dict[str, object]]:
    """Run a folder's checks on the relations that ``con`` has; return rows of `DATA_QUALITY`."""
    return [
        _run(con, check, counts, limits, facts)
        for check in all_checks(folder)
        if check.settings.get("only", "") in {"", *facts}
    ]


def contract_check(tables: Mapping[str, pa.Table]) -> dict[str, object]:
    """Hold the finished tables to their contracts; return one `DATA_QUALITY` row."""
    found = [
        breach
        for name, table in tables.items()
        for breach in breaches(name, STAGE.datasets[name], table)
    ]
    shown = ", ".join(str(breach) for breach in found[:_SHOWN])
    return {
        "check_name": "contracts",
        "severity": "stop",
        "status": "failed" if found else "passed",
        "observed": float(sum(breach.rows for breach in found)),
        "expected": "at most 0 rows",
        "details": shown or "Types, ranges, keys and order of the tables are as declared.",
    }


def quality_table(rows: Iterable[Mapping[str, object]]) -> pa.Table:
    """Collect results of checks into a table."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=DATA_QUALITY.schema)


def stop_on_failure(quality: pa.Table) -> None:
    """Raise InputError when a check that must pass has failed."""
    for row in quality.to_pylist():
        if row["status"] == "failed" and row["severity"] == "stop":
            raise InputError(
                f"the data check {row['check_name']} failed: {row['observed']:.4g}, expected "
                f"{row['expected']} ({row['details']}); {_fix(str(row['check_name']))}"
            )


def log_quality(quality: pa.Table) -> None:
    """Log every check that failed, and what the others have counted."""
    for row in quality.to_pylist():
        if row["status"] == "failed":
            logger.warning(
                "ingest: the check %s gives a warning: %.4g, expected %s (%s)",
                row["check_name"],
                row["observed"],
                row["expected"],
                row["details"],
            )
        elif row["status"] == "passed" and row["observed"]:
            logger.info("ingest: %s: %.4g (%s)", row["check_name"], row["observed"], row["details"])


def _fix(name: str) -> str:
    """Say which limit would let an input pass that a check has stopped, if there is one."""
    limits = {check.name: check.settings.get("stop", "nothing") for check in all_checks()}
    limit = limits.get(name, "nothing")
    return "fix the input" + (f" or raise `ingest.{limit}`" if limit != "nothing" else "")


def _run(
    con: duckdb.DuckDBPyConnection,
    check: Check,
    counts: Mapping[str, int],
    limits: IngestLimits,
    facts: frozenset[str],
) -> dict[str, object]:
    bounds = {
        severity: _limit(check.settings[severity], limits)
        for severity in ("warn", "stop")
        if severity in check.settings
    }
    allowed = int(_limit(check.settings.get("allow", "nothing"), limits))
    severity = min(bounds, key=lambda name: bounds[name])
    result: dict[str, object] = {
        "check_name": check.name,
        "severity": severity,
        "status": "passed",
        "observed": None,
        "expected": _expected(bounds, allowed, check.settings.get("of")),
        "details": check.purpose,
    }
    if check.settings.get("needs", "") not in {"", *facts}:
        return {**result, "status": "skipped", "details": "every row is one play"}
    offences = con.execute(check.sql).fetchall()
    rows = sum(int(row[1]) for row in offences)
    observed = rows / max(1, counts[check.settings["of"]]) if "of" in check.settings else rows
    result["observed"] = float(observed)
    if offences:
        remarks = "".join(f"; {offence}" for offence, count in offences if not count)
        found = [(offence, count) for offence, count in offences if count]
        shown = ", ".join(f"{offence} ({count:,})" for offence, count in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
        result["details"] = f"{check.purpose} {shown}{more}{remarks}"
    exceeded = [name for name, bound in bounds.items() if observed > bound and rows > allowed]
    if exceeded:
        result["status"] = "failed"
        result["severity"] = "stop" if "stop" in exceeded else "warn"
    return result


def _limit(name: str, limits: IngestLimits) -> float:
    if name in _BOUNDS:
        return _BOUNDS[name]
    return float(getattr(limits, name))


def _expected(bounds: Mapping[str, float], allowed: int, of: str | None) -> str:
    """Say readably what a check expects."""
    kind = f" of {of.replace('_', ' ')}" if of else " rows"
    text = f"at most {min(bounds.values()):g}{kind}"
    if allowed:
        text += f", or {allowed} rows"
    if len(bounds) > 1:
        text += f"; stops above {bounds['stop']:g}"
    return text
