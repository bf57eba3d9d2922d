"""docs/warehouse.md is what the release file says of itself, and its examples run."""

import os
import re
import shutil
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
from tests.warehouse.clients import install
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


def _publish(world: World, folder: Path) -> None:
    """Put the pointer where the page has it."""
    pointer = folder / POINTER
    pointer.parent.mkdir(parents=True)
    pointer.symlink_to(world.database)


@pytest.mark.parametrize("code", _examples("python"))
def test_the_python_examples_run(world: World, code: str, tmp_path: Path) -> None:
    _publish(world, tmp_path)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_the_sql_examples_run(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _publish(world, tmp_path)
    monkeypatch.chdir(tmp_path)
    examples = [*_examples("sql"), *re.findall(r'current\.duckdb "(.*?)"\n', PAGE)]
    for code in examples:
        with _client(attaches="ATTACH" in code) as connection:
            for statement in connection.extract_statements(code):
                connection.execute(statement).fetchall()
    assert len(examples) == 9
    assert {path.suffix for path in tmp_path.glob("recommendations.*")} == {".csv", ".parquet"}


def _client(*, attaches: bool) -> duckdb.DuckDBPyConnection:
    """Connect to the release, or to nothing for an example that attaches it."""
    return duckdb.connect() if attaches else duckdb.connect(POINTER, read_only=True)


OTHER_CLIENTS = {
    "import ibis": ["ibis-framework[duckdb]", "duckdb<2", "pandas"],
    "import sqlalchemy": ["duckdb-engine"],
}


@pytest.mark.slow
@pytest.mark.parametrize("first_line", OTHER_CLIENTS)
def test_the_examples_of_other_packages_run(world: World, first_line: str, tmp_path: Path) -> None:
    [code] = [code for code in _examples("py") if code.startswith(first_line)]
    _publish(world, tmp_path)
    python = install(OTHER_CLIENTS[first_line], tmp_path / "client")
    subprocess.run([python, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.slow
def test_the_node_example_runs(world: World, tmp_path: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("node and npm are not installed")
    _publish(world, tmp_path)
    added = subprocess.run(
        [npm, "install", "--silent", "@duckdb/node-api"], cwd=tmp_path, check=False
    )
    if added.returncode:
        pytest.skip("@duckdb/node-api cannot be had from the package index")
    [code] = _examples("js")
    (tmp_path / "read.mjs").write_text(f"{code}\nconsole.log(rows.getRows().length)\n")
    said = subprocess.run(
        [node, "read.mjs"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert int(said.stdout) == len(world.track_ids)


@pytest.mark.slow
def test_the_command_line_example_runs(world: World, tmp_path: Path) -> None:
    _publish(world, tmp_path)
    python = install(["duckdb-cli"], tmp_path / "client")
    [code] = _examples("sh")
    path = f"{python.parent}:{os.environ['PATH']}"
    said = subprocess.run(
        ["sh", "-c", code],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path},
    )
    assert "popular" in said.stdout
