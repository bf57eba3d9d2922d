"""The main job, run as its user runs it: command line, real files, real Prefect server."""

import json
import re
import subprocess
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.conftest import CommandLine, Published, Sample
from tests.flows.homes import copied
from warehouse.contract.relations import relations


def test_a_run_publishes_and_says_how_to_query(published: Published) -> None:
    assert published.database.is_symlink()
    assert not published.database.readlink().is_absolute()
    queries = [line.strip() for line in published.output.splitlines() if "FROM " in line]
    assert len(queries) >= 4
    with duckdb.connect(str(published.database), read_only=True) as connection:
        for query in queries:
            assert connection.execute(query).fetchall()


def test_every_relation_of_the_contract_answers(published: Published) -> None:
    with duckdb.connect(str(published.database), read_only=True) as connection:
        rows = {name: len(connection.execute(f"FROM {name}").fetchall()) for name in relations()}
    assert set(rows) == {
        "tracks", "users", "listens", "dislikes", "similar_tracks", "user_recommendations",
        "popular_tracks", "segments", "segment_curve", "feature_weights", "evaluation",
        "data_quality", "rejected_rows", "release", "experiments", "experiment_results",
        "measured_weights", "click_rates", "position_bias",
    }  # fmt: skip
    assert rows["user_recommendations"] == 20 * rows["users"]
    assert rows["similar_tracks"] == 10 * rows["tracks"]
    assert rows["release"] == 1


def test_each_stage_is_a_task_run_and_the_summary_an_artifact(published: Published) -> None:
    api = published.environment["PREFECT_API_URL"]
    of_this_run = {"flow_runs": {"id": {"any_": [published.run_id]}}}
    tasks = httpx.post(f"{api}/task_runs/filter", json=of_this_run).json()
    done = {task["name"].rsplit("-", 1)[0]: task["state"]["type"] for task in tasks}
    stages = ("ingest", "collaborative", "content", "lists", "build", "publish")
    assert {stage: done.get(stage) for stage in stages} == dict.fromkeys(stages, "COMPLETED")
    artifacts = httpx.post(f"{api}/artifacts/filter", json=of_this_run).json()
    by_key = {artifact["key"]: artifact["data"] for artifact in artifacts}
    assert "FROM recommend_user(" in by_key["report"]
    assert by_key["report"].count("data:image/svg+xml;base64,") == 3
    for part in ("Gate", "Evaluation", "Data quality", "Run", "Run log", "Queries"):
        assert f"\n## {part}\n" in by_key["report"]
    (run,) = httpx.post(f"{api}/flow_runs/filter", json=of_this_run).json()
    assert "terminal" in run["tags"]
    assert run["name"].startswith("run · ")
    assert float(by_key["progress-lists"]) == 100.0


def test_a_small_release_is_measured_first_and_then_learned_from_everybody(
    published: Published,
) -> None:
    with duckdb.connect(str(published.database), read_only=True) as connection:
        release = connection.execute(
            "SELECT held_out_listeners, measured_model, published_model, refitted FROM release"
        ).fetchone()
        stages = connection.execute(
            "SELECT unnest(map_keys(stage_seconds)) FROM release"
        ).fetchall()
        (users,) = connection.execute("SELECT count(*) FROM users").fetchall()[0]
        checks = connection.execute(
            "SELECT severity FROM data_quality WHERE check_name LIKE 'hybrid_keeps_up:%'"
        ).fetchall()
        cold = connection.execute("SELECT count(*) FROM tracks WHERE is_cold != (listeners = 0)")
        assert cold.fetchall() == [(0,)]
    assert release is not None
    held_out, measured, model, refitted = release
    assert held_out > 0.02 * users
    assert refitted
    assert measured != model
    learned = {f"{stage}{ending}" for stage in ("collaborative", "content")
               for ending in ("", "_hidden", "_refit")}  # fmt: skip
    assert learned < {name for (name,) in stages}
    assert {severity for (severity,) in checks} == {"warn"}
    assert len(checks) >= 5


def test_releases_rollback_and_prune(published: Published, sample: Sample, tmp_path: Path) -> None:
    crossfade = copied(published, tmp_path)
    pointer = tmp_path / "home" / "warehouse" / "current.duckdb"
    first = pointer.readlink().parent.name
    other = crossfade("run", *sample.flags, "--model", "cosine", "--force")  # it is worse here
    assert other.returncode == 0, other.stderr
    second = pointer.readlink().parent.name
    assert first < second
    listed = crossfade("releases").stdout
    assert first in listed
    assert second in listed

    assert crossfade("rollback").returncode == 0
    assert pointer.readlink().parent.name == first
    assert crossfade("releases").stdout.count("rolled back") == 1
    again = crossfade("run", *sample.flags, "--model", "cosine")  # as the next night would
    assert again.returncode == 0, again.stderr
    assert f"is still current: {second} holds the same and was rolled back" in again.stdout
    assert pointer.readlink().parent.name == first
    assert crossfade("rollback", second).returncode == 0
    assert pointer.readlink().parent.name == second
    unknown = crossfade("rollback", "20200101T000000-000000")
    assert unknown.returncode == 2
    assert second in unknown.stderr
    assert pointer.readlink().parent.name == second

    assert crossfade("rollback", first).returncode == 0
    forced = crossfade("run", *sample.flags, "--model", "cosine", "--force")
    assert forced.returncode == 0, forced.stderr
    assert "publish: by force, by " in forced.stderr
    third = pointer.readlink().parent.name
    assert third > second
    idle = crossfade("run", *sample.flags, "--model", "cosine", "--force")
    assert "--force had nothing to do" in idle.stdout
    assert pointer.readlink().parent.name == third

    assert crossfade("prune", "--keep", "1").returncode == 0
    assert [path.name for path in pointer.parent.joinpath("releases").iterdir()] == [third]
    assert crossfade("rollback").returncode == 2


@pytest.mark.parametrize(
    "asked",
    [["--user", "{user}"], ["--like", "{track}", "{other}"], ["--similar-to", "{track}"]],
)
def test_recommend(published: Published, asked: list[str]) -> None:
    with duckdb.connect(str(published.database), read_only=True) as connection:
        tracks = connection.execute("SELECT track_id FROM tracks LIMIT 2").fetchall()
        users = connection.execute("SELECT user_id FROM users LIMIT 1").fetchall()
    names = {"user": users[0][0], "track": tracks[0][0], "other": tracks[1][0]}
    arguments = [text.format(**names) for text in asked]
    as_json = published.crossfade("recommend", *arguments, "-k", "7", "--format", "json")
    rows = json.loads(as_json.stdout)
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    as_csv = published.crossfade.here("recommend", *arguments, "-k", "7", "--format", "csv")
    assert len(as_csv.stdout.splitlines()) == 8
    as_table = published.crossfade.here("recommend", *arguments, "-k", "7", "--weight", "0")
    assert as_table.exit_code == 0
    assert rows[0]["track_id"] in as_json.stdout


def _no_such_file(sample: Sample, _folder: Path) -> tuple[Path, Path]:
    return sample.tracks, sample.plays.with_name("nowhere.csv")


def _missing_column(sample: Sample, folder: Path) -> tuple[Path, Path]:
    plays = folder / "history.csv"
    plays.write_text(sample.plays.read_text().replace("user_id", "listener", 1))
    return sample.tracks, plays


def _empty_file(sample: Sample, folder: Path) -> tuple[Path, Path]:
    (folder / "empty.csv").touch()
    return folder / "empty.csv", sample.plays


def _picture(sample: Sample, folder: Path) -> tuple[Path, Path]:
    picture = folder / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 40)
    return sample.tracks, picture


@pytest.mark.parametrize(
    ("damage", "names"),
    [
        (_no_such_file, ["nowhere.csv"]),
        (_missing_column, ["history.csv", "user_id"]),
        (_empty_file, ["empty.csv"]),
        (_picture, ["picture.csv"]),
    ],
)
def test_wrong_input_is_one_sentence_and_harms_nothing(
    published: Published,
    sample: Sample,
    tmp_path: Path,
    damage: object,
    names: list[str],
) -> None:
    assert callable(damage)
    tracks, plays = damage(sample, tmp_path)
    crossfade = copied(published, tmp_path)
    done = crossfade("run", "--tracks", tracks, "--plays", plays)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if not re.match(r"\[[\d:]+\] ", line)]
    assert len(lines) == 1, done.stderr
    assert all(name in lines[0] for name in names)
    assert "Traceback" not in done.stderr
    with duckdb.connect(
        str(tmp_path / "home" / "warehouse" / "current.duckdb"), read_only=True
    ) as connection:
        assert connection.execute("SELECT count(*) FROM recommend_user('x')").fetchall() == [(20,)]


def test_bad_usage(published: Published, sample: Sample) -> None:
    for arguments in (
        ["run"],
        ["run", *sample.flags, "--dataset", "x.toml"],
        ["run", *sample.flags, "--model", "oracle"],
        ["recommend"],
        ["recommend", "--user", "a", "--similar-to", "b"],
        ["prune"],
        ["sample"],
        ["sample", "--out", "x", "--preset", "huge"],
        ["nonsense"],
    ):
        done = published.crossfade.here(*arguments)
        assert done.exit_code == 2, arguments
        assert "Traceback" not in done.stderr


def test_a_second_run_meets_the_lock(published: Published, sample: Sample, tmp_path: Path) -> None:
    crossfade = copied(published, tmp_path)
    holder = subprocess.Popen(
        ["flock", str(tmp_path / "home" / "run.lock"), "sleep", "60"], start_new_session=True
    )
    try:
        while not subprocess.run(
            ["flock", "-n", str(tmp_path / "home" / "run.lock"), "true"], check=False
        ).returncode:
            pass
        done = crossfade("run", *sample.flags)
    finally:
        holder.kill()
        holder.wait()
        subprocess.run(["pkill", "-s", str(holder.pid)], check=False)
    assert done.returncode == 1
    assert "another process is at work" in done.stderr


def test_nothing_published_yet(tmp_path: Path) -> None:
    done = CommandLine(tmp_path)("recommend", "--user", "x", "--home", "here")
    assert done.returncode == 2
    assert "crossfade run" in done.stderr


def test_the_run_log_and_the_summary_have_the_runs_own_lines(published: Published) -> None:
    api = published.environment["PREFECT_API_URL"]
    release_id = published.database.readlink().parent.name
    named = {"flow_runs": {"name": {"like_": f"release {release_id}"}}}
    (run,) = httpx.post(f"{api}/flow_runs/filter", json=named, timeout=30).json()
    of_run = {"flow_run_id": {"any_": [run["id"]]}}
    logs = httpx.post(f"{api}/logs/filter", json={"logs": of_run}, timeout=30).json()
    messages = [log["message"] for log in logs if log["name"] == "crossfade"]
    pages = httpx.post(f"{api}/artifacts/filter", json={"artifacts": of_run}, timeout=30).json()
    (summary,) = (page["data"] for page in pages if page["key"] == "report")
    for begin in (
        "ingest: ",
        "collaborative: ",
        "content: ",
        "lists: ",
        "gate: passed",
        "publish: ",
    ):
        assert [one for one in messages if one.startswith(begin)], begin
        assert f"\n- {begin}" in summary, begin
