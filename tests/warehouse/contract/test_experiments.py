"""Assignment in SQL: the same as in Python, even, independent, stable; served when asked to."""

from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy import stats

from tasks.dataset.experiments import Experiment
from tasks.experiments.assignment import assignment_row, bucket, variant_of, variant_rows
from tests.warehouse.worlds import World, build_world
from warehouse.build.writer import build
from warehouse.releases.home import DATABASE, Home

SHARES = {"control": 0.5, "content": 0.3, "none": 0.1}


def _experiment(name: str) -> Experiment:
    variants = (
        {"name": "control", "share": 0.5},
        {"name": "content", "share": 0.3, "weight": 0.2},
        {"name": "none", "share": 0.1, "preset": "content"},
    )
    return Experiment.model_validate(
        {"name": name, "start": "2026-01-01", "end": "2026-02-01", "variants": variants}
    )


EXPERIMENTS = [_experiment("slider"), _experiment("second")]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(tmp_path_factory.mktemp("world"), seed=1)


@pytest.fixture(scope="module")
def reader(world: World, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    configured = {
        "experiments": [row for one in EXPERIMENTS for row in variant_rows(one)],
        "assignments": [assignment_row(one) for one in EXPERIMENTS],
    }
    home: Path = tmp_path_factory.mktemp("home")
    folder = build(Home(home), world.given.model_copy(update=configured), "1GB", 2).folder
    return duckdb.connect(str(folder / DATABASE), read_only=True)


def test_sql_and_python_agree(world: World, reader: duckdb.DuckDBPyConnection) -> None:
    users = [*world.user_ids, *(f"listener {number}" for number in range(500))]
    for experiment in EXPERIMENTS:
        asked = "SELECT variant(u, $1), variant_weight(u, $1) FROM (SELECT unnest($2) AS u)"
        answers = reader.execute(asked, [experiment.name, users]).fetchall()
        assert [variant for variant, _ in answers] == [
            variant_of(user, experiment) for user in users
        ]
        weights = {"control": None, "content": 0.2, "none": 0.0, None: None}
        assert all(weight == weights[variant] for variant, weight in answers)


def test_the_buckets_never_change() -> None:
    """Another value here moves listeners between variants in the middle of an experiment."""
    assert bucket("u1", "slider") == 0x8EB169F080672 / 2**52
    assert bucket("日本語", "second") == 0x341D5E3DD07FC / 2**52


def test_a_million_listeners_are_even_and_independent(reader: duckdb.DuckDBPyConnection) -> None:
    counted = reader.execute(
        "SELECT a, b, count(*) FROM (SELECT variant(u, 'slider') AS a, variant(u, 'second') AS b "
        "FROM (SELECT md5(i::VARCHAR) AS u FROM range(1000000) t(i))) GROUP BY ALL"
    ).fetchall()
    names = [*SHARES, None]
    table = np.zeros((4, 4))
    for a, b, users in counted:
        table[names.index(a), names.index(b)] = users
    shares = np.array([0.5, 0.3, 0.1, 0.1])
    for margin in (table.sum(axis=0), table.sum(axis=1)):
        assert stats.chisquare(margin, 1e6 * shares).pvalue > 1e-4
    assert stats.chi2_contingency(table).pvalue > 1e-4


def test_recommend_user_serves_the_variants_weight(
    world: World, reader: duckdb.DuckDBPyConnection
) -> None:
    weights = {"control": None, "content": 0.2, "none": 0.0, None: None}
    for user in world.user_ids:
        served = reader.execute(
            "FROM recommend_user($1, weight := variant_weight($1, 'slider'))", [user]
        ).fetchall()
        weight = weights[variant_of(user, EXPERIMENTS[0])]
        assert (
            served
            == reader.execute("FROM recommend_user(?, weight := ?)", [user, weight]).fetchall()
        )


def test_an_unknown_experiment_is_null(reader: duckdb.DuckDBPyConnection) -> None:
    asked = "SELECT variant('a', 'no such'), variant(NULL, 'slider'), variant_weight('a', NULL)"
    assert reader.execute(asked).fetchall() == [(None, None, None)]


def test_the_relation_tells_what_is_tried(reader: duckdb.DuckDBPyConnection) -> None:
    rows = reader.execute(
        "SELECT variant, is_control, share, weight, preset FROM experiments "
        "WHERE experiment = 'slider'"
    ).fetchall()
    assert rows == [
        ("control", True, 0.5, None, None),
        ("content", False, 0.3, 0.2, None),
        ("none", False, 0.1, 0.0, "content"),
    ]
