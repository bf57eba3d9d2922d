"""docs/times.md works its lists by hand: the page's own numbers, through the macros."""

import math
import re
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from tasks.blend.parameters import HybridParameters
from tasks.lake.contracts.edges import EDGES
from tasks.lake.contracts.stages.ingest import tracks_schema
from tasks.release.recent import ENOUGH, FALSE_ALARMS, NEW_DAYS, USUAL_WINDOWS, lowest_shares
from tests.docs.pages import DOCS, table
from tests.warehouse.timed_worlds import EPOCH, Listen, as_interactions
from tests.warehouse.worlds import NUMERIC, release_world

PAGE = (DOCS / "times.md").read_text()
HISTORY = table(PAGE, "track", "first", "last")
NEWEST = date(2024, 6, 30)


def _worth(arithmetic: str) -> float:
    """Work out what a cell says: numbers, + - * / ( ), and √ before a number."""
    assert not set(arithmetic) - set("0123456789.+-*/√() ")
    return float(eval(re.sub(r"√(\d+)", r"\1**0.5", arithmetic)))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    schema = tracks_schema(NUMERIC, [])
    n = len(HISTORY)
    given = {
        "track_key": range(n), "track_id": [row["track"] for row in HISTORY],
        "listeners": [1] * n, "plays": [1] * n, "played_key": range(n),
    }  # fmt: skip
    tracks = pa.table(
        [pa.array(given.get(f.name, [None] * n), f.type) for f in schema], schema=schema
    )
    listens = [
        Listen(0, key, int(row["plays"]), *((date.fromisoformat(row[name]) - EPOCH).days
                                             for name in ("first", "last")))
        for key, row in enumerate(HISTORY)
    ]  # fmt: skip
    nothing = EDGES.empty_table()
    return release_world(
        tmp_path_factory.mktemp("times"),
        tracks,
        {"weights": nothing, "similarity": nothing, "content": nothing},
        ["anna"],
        [list(range(n))],
        HybridParameters(),
        listens=as_interactions(listens, tracks),
    ).database


def test_presence_and_score_are_the_arithmetic_of_the_page() -> None:
    for row in HISTORY:
        first, last = (date.fromisoformat(row[name]) for name in ("first", "last"))
        assert (int(row["T"]), int(row["t"])) == (
            (NEWEST - first).days + 1,
            (NEWEST - last).days + 1,
        )
        big, small, n = math.sqrt(int(row["T"])), math.sqrt(int(row["t"])), int(row["plays"])
        presence = _worth(row["presence"])
        rest = 2 * (n - 1) / (big * small * (big + small))
        assert presence == pytest.approx(1 / small**3 + rest)
        assert float(row["score"]) == round(math.sqrt(presence) / (1 + math.sqrt(presence)), 4)


@pytest.mark.parametrize(("number", "macro"), enumerate(["on_repeat", "rediscover"]))
def test_the_macros_give_the_lists_of_the_page(release: Path, number: int, macro: str) -> None:
    assert f"FROM {macro}('anna')" in PAGE
    expected = table(PAGE, "rank", "reason", number=number)
    with duckdb.connect(str(release), read_only=True) as connection:
        rows = connection.sql(f"FROM {macro}('anna')").to_arrow_table().to_pylist()
    assert [{name: str(row[name]) for name in expected[0]} for row in rows] == expected
    assert [row["track_id"] for row in expected] == [
        row["track"] for row in HISTORY if row["list"] == macro
    ]


def test_the_bound_of_the_page_is_that_of_the_code() -> None:
    q, level = 1 / 9, FALSE_ALARMS / 500
    assert level == pytest.approx(0.0001)
    for row in table(PAGE, "new listeners, all recent", "p"):
        n = int(row["new listeners, all recent"])
        p = level ** (1 / n)
        assert float(row["p"]) == pytest.approx(p, abs=5e-5)
        if row["score"] == "none":
            assert p < q
        else:
            assert float(row["score"]) == pytest.approx(1 - q * (1 - p) / (p * (1 - q)), abs=5e-5)
    # 500 tracks that can pass, and more that cannot
    recent = np.concatenate([np.full(499, 10), [11], np.full(300, 1)])
    before = np.concatenate([np.full(499, 80), [0], np.full(300, 1)])
    assert lowest_shares(recent, before, q)[499] == pytest.approx(level ** (1 / 11))


def test_the_constants_of_the_page_are_those_of_the_code() -> None:
    assert f"{ENOUGH:,} new listeners" in PAGE
    assert f"more than {NEW_DAYS} days before" in PAGE
    assert f"at most {FALSE_ALARMS:.0%}".replace("%", " %") in PAGE
    assert USUAL_WINDOWS == 8
    assert "eight windows before" in PAGE
