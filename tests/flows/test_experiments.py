"""From simulated feedback to results on the command line; a broken file does not stop a run."""

import shutil
from pathlib import Path

import duckdb
import httpx

from tests.conftest import CommandLine, Published


def test_a_broken_feedback_file_costs_its_rows_and_nothing_else(
    published: Published, tmp_path: Path
) -> None:
    shutil.copytree(published.home, tmp_path / "home", symlinks=True)
    here = tmp_path / "demo"
    environment = {**published.environment, "CROSSFADE_HOME": str(tmp_path / "home")}
    size = ("--scale", "0.3", "--catalogue", "0.3")  # as the sample that was published
    made = CommandLine(tmp_path)("sample", "--out", here, *size, "--feedback")
    assert made.returncode == 0, made.stderr
    assert "exposures" in made.stdout
    (here / "events-2.csv").write_text("exposure_id,user_id,what\nx1,u,click\n")
    done = CommandLine(here, environment)("run")
    assert done.returncode == 0, done.stderr
    assert "events-2.csv" in done.stderr

    question = "FROM user_recommendations ORDER BY user_id, rank"
    lists = []
    for home in (published.home, tmp_path / "home"):
        pointer = home / "warehouse" / "current.duckdb"
        with duckdb.connect(str(pointer.resolve()), read_only=True) as connection:
            lists.append(connection.execute(question).fetchall())
    assert lists[0] == lists[1]
    _assert_measured(tmp_path / "home" / "warehouse" / "current.duckdb")
    api = published.environment["PREFECT_API_URL"]
    artifacts = httpx.post(f"{api}/artifacts/latest/filter", json={}).json()
    pages = {artifact["key"]: artifact["data"] for artifact in artifacts}
    assert "| content | click through rate |" in pages["report"]


def _assert_measured(pointer: Path) -> None:
    with duckdb.connect(str(pointer.resolve()), read_only=True) as connection:
        lift = connection.execute(
            "SELECT users, ci_low, lift, ci_high, note FROM experiment_results WHERE variant = "
            "'content' AND segment = 'all' AND metric = 'click_through_rate'"
        ).fetchall()[0]
        assert lift[0] > 400
        assert lift[1] < 0.15 < lift[3]  # the truth of the sample
        assert "without events-2.csv" in lift[4]
        failed = connection.execute(
            "SELECT check_name, details FROM data_quality WHERE status = 'failed' "
            "AND check_name NOT LIKE 'hybrid_keeps_up:%'"
        ).fetchall()
        assert [name for name, _ in failed] == ["feedback_files"]
        assert "feedback.events.kind" in failed[0][1]
        bias = connection.execute("SELECT examination FROM position_bias ORDER BY rank").fetchall()
        assert len(bias) == 8
        assert abs(bias[1][0] - 2**-0.7) < 0.15
        assert connection.execute("SELECT count(*) > 100 FROM click_rates").fetchall()[0][0]
        served = connection.execute(
            "SELECT bool_and(variant(x.user_id, 'slider') IN ('control', 'content')) FROM users x"
        ).fetchall()
        assert served == [(True,)]
