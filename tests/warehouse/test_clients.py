"""The file opens in older DuckDB clients, and the macros answer there as they do here.

Nothing is installed for this: CROSSFADE_OLD_CLIENTS names Python interpreters that have an older
duckdb (1.3 or later), separated by colons.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warehouse.worlds import World, build_world

OLD_CLIENTS = [path for path in os.environ.get("CROSSFADE_OLD_CLIENTS", "").split(":") if path]

ASK = """
import json, sys
import duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
answers = [connection.execute(query).fetchall() for query in json.loads(sys.argv[2])]
print(json.dumps(answers, default=str))
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(tmp_path_factory.mktemp("clients"), seed=2, n=60)


def _queries(world: World) -> list[str]:
    quoted = [text.replace("'", "''") for text in (world.user_ids[0], *world.track_ids[:2])]
    user, track, other = quoted
    return [
        f"FROM recommend_user('{user}', k := 30, weight := 0.4, exclude := ['{track}'])",
        f"FROM recommend_user('{user}', heard := true)",
        "FROM recommend_user('nobody')",
        f"FROM recommend_tracks(['{track}', '{other}'])",
        f"FROM similar_to('{track}')",
        f"FROM user_candidates('{user}') WHERE genre = 'Jazz' ORDER BY rank LIMIT 20",
        f"FROM track_candidates('{track}') ORDER BY rank",
        f"FROM explain('{track}', '{other}')",
        "FROM search_tracks('song 1x')",
        "FROM user_recommendations ORDER BY ALL",
        "FROM similar_tracks ORDER BY ALL",
        "FROM listens ORDER BY ALL",
        "FROM release",
    ]


def _answers(python: str, database: Path, queries: list[str]) -> list[object]:
    asked = subprocess.run(
        [python, "-c", ASK, database, json.dumps(queries)],
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(asked.stdout))


@pytest.mark.skipif(not OLD_CLIENTS, reason="CROSSFADE_OLD_CLIENTS names no interpreters")
@pytest.mark.parametrize("python", OLD_CLIENTS)
def test_an_older_client_gives_the_same_answers(world: World, python: str) -> None:
    queries = _queries(world)
    assert _answers(python, world.database, queries) == _answers(
        sys.executable, world.database, queries
    )
