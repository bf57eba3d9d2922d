"""docs/warehouse.md is what the release file says of itself, and its examples run."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tasks.blend.parameters import HybridParameters
from tasks.dataset.spec import KAGGLE_CATEGORICAL, KAGGLE_NUMERIC
from tasks.lake.contracts.edges import EDGES
from tasks.lake.contracts.stages.ingest import tracks_schema
from tests.docs.pages import DOCS
from tests.warehouse.worlds import World, release_world
from warehouse.contract.relations import relations

PAGE = (DOCS / "warehouse.md").read_text()
POINTER = "data/warehouse/current.duckdb"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A release of two tracks with the columns of the Kaggle schema."""
    schema = tracks_schema(KAGGLE_NUMERIC, KAGGLE_CATEGORICAL)
    given = {"track_key": [0, 1], "track_id": ["a", "b"], "listeners": [1, 1], "plays": [1, 1],
             "played_key": [0, 1]}  # fmt: skip
    columns = [pa.array(given.get(field.name, [None, None]), field.type) for field in schema]
    nothing = EDGES.empty_table()
    return release_world(
        tmp_path_factory.mktemp("kaggle"),
        pa.table(columns, schema=schema),
        {"weights": nothing, "similarity": nothing, "content": nothing},
        ["u", "v"],
        [[0], [1]],
        HybridParameters(),
        numeric=KAGGLE_NUMERIC,
    )


def test_the_page_is_current(world: World) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "warehouse.contract.document", world.database],
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == PAGE, (
        "generate it again: python -m warehouse.contract.document data/warehouse/current.duckdb "
        "> docs/warehouse.md"
    )


def test_everything_of_the_contract_is_described(world: World) -> None:
    with duckdb.connect(str(world.database), read_only=True) as connection:
        silent = connection.sql(
            """
            SELECT v.view_name FROM duckdb_views() v
            WHERE v.schema_name = 'main' AND NOT v.internal AND v.comment IS NULL
            UNION ALL
            SELECT c.table_name || '.' || c.column_name FROM duckdb_columns() c
            WHERE c.schema_name = 'main' AND NOT c.internal AND c.comment IS NULL
            UNION ALL
            SELECT f.function_name FROM duckdb_functions() f
            WHERE f.schema_name = 'main' AND NOT f.internal AND f.comment IS NULL
            """
        ).fetchall()
    assert silent == []


def test_relations_and_macros_are_all_on_the_page(world: World) -> None:
    with duckdb.connect(str(world.database), read_only=True) as connection:
        macros = connection.sql(
            "SELECT f.function_name FROM duckdb_functions() f "
            "WHERE f.schema_name = 'main' AND NOT f.internal"
        ).fetchall()
    headings = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)
    assert headings[: len(relations())] == relations()
    assert set(headings[len(relations()) :]) == {name for (name,) in macros}


def _examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("code", _examples("python"))
def test_the_python_examples_run(world: World, code: str, tmp_path: Path) -> None:
    pointer = tmp_path / POINTER
    pointer.parent.mkdir(parents=True)
    pointer.symlink_to(world.database)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_the_sql_examples_run(world: World) -> None:
    examples = _examples("sql") + re.findall(r'current\.duckdb "(.*?)"\n', PAGE)
    assert len(examples) == 3
    with duckdb.connect(str(world.database), read_only=True) as connection:
        for query in examples:
            connection.execute(query).fetchall()
