"""`crossfade recommend` for the lists that rest on times."""

import json
from pathlib import Path

import duckdb
import pytest

from tests.conftest import CommandLine
from tests.warehouse.publishing import publish
from tests.warehouse.timed_worlds import TimedWorld, build_timed_world
from tests.warehouse.worlds import build_world
from warehouse.releases.home import Home


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> TimedWorld:
    return build_timed_world(tmp_path_factory.mktemp("timed"), seed=0)


@pytest.fixture(scope="module")
def crossfade(timed: TimedWorld, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    folder = tmp_path_factory.mktemp("published")
    publish(Home(folder / "home"), timed.world.given, 0)
    return CommandLine(folder, {"CROSSFADE_HOME": str(folder / "home")})


@pytest.mark.parametrize(
    ("asked", "macro"),
    [
        (["--user", "{user}", "--list", "on-repeat"], "on_repeat($id, k := 3)"),
        (["--user", "{user}", "--list", "rediscover"], "rediscover($id, k := 3)"),
        (["--user", "{user}", "--list", "new"], "new_for_user($id, k := 3)"),
        (
            ["--user", "{user}", "--list", "new", "--weight", "0"],
            "new_for_user($id, k := 3, weight := 0)",
        ),
        (["--trending", "all"], "trending('all', k := 3)"),
        (["--trending", "rock"], "trending('rock', k := 3)"),
    ],
)
def test_it_prints_what_the_macro_answers(
    timed: TimedWorld, crossfade: CommandLine, asked: list[str], macro: str
) -> None:
    question = f"SELECT rank, track_id, reason FROM {macro} ORDER BY rank"
    with duckdb.connect(str(timed.world.database), read_only=True) as connection:
        found = {
            user_id: connection.execute(
                question, {"id": user_id} if "$id" in macro else {}
            ).fetchall()
            for user_id in timed.world.user_ids
        }
    user_id, rows = max(found.items(), key=lambda one: len(one[1]))
    assert rows
    arguments = [text.format(user=user_id) for text in asked]
    done = crossfade.here("recommend", *arguments, "-k", "3", "--format", "json")
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert [(row["rank"], row["track_id"], row["reason"]) for row in said] == rows
    as_table = crossfade.here("recommend", *arguments)
    assert all(row[2] in " ".join(as_table.stdout.split()) for row in rows)
    assert "has no rows" not in as_table.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--list", "on-repeat", "--like", "a"], "name one by --user ID"),
        (["--list", "rediscover", "--user", "u", "--weight", "1"], "rediscover takes no --weight"),
        (["--trending", "all", "--user", "u"], "give exactly one of"),
        (["--trending", "all", "--weight", "1"], "trending takes no --weight"),
        (["--trending", "all", "--list", "new"], "name one by --user ID"),
        (["--list", "nonsense", "--user", "u"], "nonsense"),
    ],
)
def test_options_that_do_not_go_together(
    crossfade: CommandLine, arguments: list[str], sentence: str
) -> None:
    done = crossfade.here("recommend", *arguments)
    assert done.exit_code == 2
    assert sentence in " ".join(done.stderr.split())


def test_a_release_without_times_has_no_rows_and_says_why(tmp_path: Path) -> None:
    world = build_world(tmp_path / "world", seed=1)
    publish(Home(tmp_path / "home"), world.given, 0)
    crossfade = CommandLine(tmp_path, {"CROSSFADE_HOME": str(tmp_path / "home")})
    done = crossfade.here("recommend", "--user", world.user_ids[0], "--list", "on-repeat")
    assert done.exit_code == 0
    assert "on_repeat has no rows" in done.stderr
    assert "plays.at" in done.stderr


def test_a_release_older_than_the_macro_is_named(tmp_path: Path, timed: TimedWorld) -> None:
    release = publish(Home(tmp_path / "home"), timed.world.given, 0)
    with duckdb.connect(str(release.database)) as connection:
        connection.execute("DROP MACRO TABLE trending")
    (release.folder / "manifest.json").unlink()
    crossfade = CommandLine(tmp_path, {"CROSSFADE_HOME": str(tmp_path / "home")})
    done = crossfade.here("recommend", "--trending", "all")
    assert done.exit_code == 2
    assert "make a new one with `crossfade run`" in " ".join(done.stderr.split())
