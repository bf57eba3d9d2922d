"""Checks of a built release: each .sql file returns the offending rows, none if all is well.

agreement.py compares the tables with the macros.
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import duckdb

from warehouse.build.agreement import LISTENERS, TRACKS, disagreeing
from warehouse.contract.sql import contract_sql
from warehouse.releases.spill import spill_config

LISTED = """
CREATE TEMP TABLE listed AS
SELECT r.user_id AS id, list(enum_code(r.track_id)::INTEGER) AS tracks
FROM store.recommendations r GROUP BY r.user_id
"""
"""The keys in every listener's list, which several checks need: gathered once."""


@dataclass(frozen=True)
class Broken:
    """A check that found something."""

    check: str
    offenders: int
    example: str

    def __str__(self) -> str:
        return (
            f"{self.check.replace('_', ' ')}: {self.offenders} rows break this, e.g. {self.example}"
        )


def check_release(
    database: Path, user_list: int, similar_list: int, memory_limit: str, threads: int
) -> list[Broken]:
    """Run every check on a built file, opened as readers open it; return what is broken."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": threads,
        **spill_config(),
    }
    broken = []
    with duckdb.connect(str(database), read_only=True, config=config) as connection:
        for name, value in (
            ("user_list", user_list),
            ("similar_list", similar_list),
        ):
            connection.execute(f"SET VARIABLE {name} = ?", [value])
        connection.execute(LISTED)
        for name, query in release_checks().items():
            found = connection.execute(
                f"SELECT count(*), min(offender) FROM ({query})"  # our own file, no input in it
            ).fetchone()
            if found and found[0]:
                broken.append(Broken(name, found[0], found[1]))
        connection.execute("DROP TABLE listed")
        for pair, k in ((LISTENERS, user_list), (TRACKS, similar_list)):
            if ids := disagreeing(connection, pair, k, threads):
                broken.append(Broken("tables_and_macros_agree", len(ids), f"{pair.kind} {ids[0]}"))
    return broken


def release_checks() -> dict[str, str]:
    """Return the checks: name → query."""
    folder = files("warehouse.contract") / "checks"
    names = sorted(file.name.removesuffix(".sql") for file in folder.iterdir())
    return {name: contract_sql(f"checks/{name}") for name in names}
