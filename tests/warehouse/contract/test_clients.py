"""The file opens in older DuckDB clients, and the macros answer there as they do here.

The clients come from the package index.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warehouse.clients import install
from tests.warehouse.timed_worlds import build_timed_world
from tests.warehouse.worlds import World

OLD_CLIENTS = ["1.3.2", "1.4.4"]

ASK = """
import json, sys
import duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
answers = [connection.execute(query).fetchall() for query in json.loads(sys.argv[2])]
print(json.dumps([duckdb.__version__, answers], default=str))
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_timed_world(tmp_path_factory.mktemp("clients"), seed=2, n=60).world


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
        f"FROM candidates_for_tracks(['{track}', '{other}']) ORDER BY rank",
        f"FROM recommend_user('{user}', per_artist := 1, exclude_artists := ['Artist 1'], "
        "new_artists := true)",
        f"FROM recommend_user('{user}', k := 30, diversity := 0.4, calibrated := 0.3)",
        f"FROM recommend_tracks(['{track}', '{other}'], diversity := 1)",
        f"FROM recommend_users(['{user}', 'nobody'], diversity := 0.4, calibrated := 0.3)",
        f"FROM recommend_many([['{track}', '{other}'], []], calibrated := 0.5)",
        f"FROM recommend_users(['{user}', 'nobody', '{user}'])",
        f"FROM recommend_users(['{user}', 'nobody'], k := 40, weight := 0.4, heard := true)",
        f"FROM recommend_many([['{track}', '{other}'], ['{other}'], []], k := 30, weight := 0.2)",
        f"FROM similar_to_many(['{other}', 'nothing', '{track}'])",
        f"FROM similar_to_many(['{other}', '{track}'], k := 30, weight := 0.2)",
        "FROM similar_to('nothing')",
        f"FROM on_repeat('{user}')",
        f"FROM rediscover('{user}', days := 0, exclude := ['{track}'])",
        f"FROM new_for_user('{user}', weight := 0.4, days := 60)",
        "FROM trending('all')",
        f"FROM explain('{track}', '{other}')",
        "FROM search_tracks('song 1x')",
        "FROM artist_tracks('ARTIST 1', weight := 0.4)",
        "FROM similar_artists('artist 2')",
        f"FROM recommend_artists('{user}', new_artists := false)",
        f"FROM continue_playlist(['{track}', '{other}'], k := 30)",
        f"FROM radio(['{track}', '{other}'], seed := 'a seed', per_artist := NULL)",
        "FROM user_recommendations ORDER BY ALL",
        "FROM similar_tracks ORDER BY ALL",
        "FROM listens ORDER BY ALL",
        "FROM release",
    ]


def _ask(python: Path, world: World) -> tuple[str, object]:
    """Return the version of the client and its answers."""
    asked = subprocess.run(
        [python, "-c", ASK, world.database, json.dumps(_queries(world))],
        capture_output=True,
        text=True,
        check=True,
    )
    version, answers = json.loads(asked.stdout)
    return str(version), answers


@pytest.mark.slow
@pytest.mark.parametrize("version", OLD_CLIENTS)
def test_an_older_client_gives_the_same_answers(world: World, version: str, tmp_path: Path) -> None:
    asked_by, answers = _ask(install([f"duckdb=={version}"], tmp_path / "client"), world)
    assert asked_by == version
    assert answers == _ask(Path(sys.executable), world)[1]
