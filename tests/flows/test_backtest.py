"""`crossfade backtest` and `crossfade tune` measure and publish nothing."""

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.collaborative.parameters import CollaborativeParameters
from tasks.tuning.parameters import TuneParameters
from tests.conftest import CommandLine, Published, Sample


@pytest.mark.slow
def test_every_model_is_measured_and_nothing_published(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade = CommandLine(
        tmp_path, {**published.environment, "CROSSFADE_HOME": str(tmp_path / "home")}
    )
    done = crossfade("backtest", *sample.flags, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "out" / "backtest.json").read_text())
    models = {row["model"] for row in rows}
    assert {"popularity", "content", "cosine", "learned", "rp3beta", "bm25"} <= models
    assert {"hybrid(learned)", "fifty_fifty(learned)"} <= models
    assert len((tmp_path / "out" / "backtest.csv").read_text().splitlines()) == len(rows) + 1
    assert all(model in done.stdout for model in models - {"content"})
    assert not (tmp_path / "home" / "warehouse").exists()
    for model in ("learned", "cosine", "rp3beta", "bm25"):
        assert f"{model}: collaborative: " in done.stderr
        assert f"{model}: evaluation: " in done.stderr
    assert _last_run(published, "crossfade-backtest")["name"].startswith("backtest · ")


@pytest.mark.slow
def test_tuning_prints_settings_that_a_run_takes_and_writes_the_curve(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade = CommandLine(
        tmp_path, {**published.environment, "CROSSFADE_HOME": str(tmp_path / "home")}
    )
    done = crossfade("tune", *sample.flags, "--tune-seconds", "2", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    fragment = (tmp_path / "out" / "tuned.toml").read_text()
    assert done.stdout == fragment
    chosen = CollaborativeParameters.model_validate(tomllib.loads(fragment)["collaborative"])
    with (tmp_path / "out" / "tuning_curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    (best,) = [row for row in rows if row["chosen"] == "True"]
    assert float(best["ridge"]) == chosen.ridge
    walked = max(map(_score, rows)) / (1 + TuneParameters().least_gain) - 1e-5
    assert best == rows[0] or _score(best) >= walked
    assert not (tmp_path / "home" / "warehouse").exists()
    api = published.environment["PREFECT_API_URL"]
    artifacts = httpx.post(f"{api}/artifacts/latest/filter", json={}).json()
    (page,) = [artifact["data"] for artifact in artifacts if artifact["key"] == "tuning"]
    assert fragment in page
    assert f"{len(rows)} settings" in page
    run = _last_run(published, "crossfade-tune")
    assert f"{len(rows)} settings measured" in run["state"]["message"]
    assert run["parameters"]["plays"] == str(sample.plays)
    assert run["name"].startswith("tune · ")
    assert run["name"].endswith(f" · {len(rows)} settings")
    said = " ".join(done.stderr.split())
    assert "gain over those in use" in said
    assert f"setting {len(rows)}, step " in said
    assert said.rindex(f"{len(rows)} settings tried") > said.rindex(f"setting {len(rows)}, step ")
    (tmp_path / "crossfade.toml").write_text(fragment + "\n[tune]\nshare = 0.3\n")
    shown = crossfade("releases")  # reads crossfade.toml: what was written is accepted
    assert shown.returncode == 0, shown.stderr


def _last_run(published: Published, flow: str) -> dict[str, Any]:
    api = published.environment["PREFECT_API_URL"]
    of_flow = {"sort": "START_TIME_DESC", "flows": {"name": {"any_": [flow]}}}
    run: dict[str, Any] = httpx.post(f"{api}/flow_runs/filter", json=of_flow).json()[0]
    return run


def _score(row: dict[str, str]) -> float:
    """Return what the search goes by: the geometric mean of its two metrics."""
    return float((float(row["recall@20"]) * float(row["ndcg@100"])) ** 0.5)
