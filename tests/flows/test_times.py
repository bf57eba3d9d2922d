"""A run on plays with times: the temporal split in the release, the report and the lines."""

from pathlib import Path

import duckdb
import httpx
import pytest

from tasks.evaluation.models import TEMPORAL_MODELS
from tests.conftest import CommandLine


@pytest.mark.timeout(1200)
def test_a_run_asks_the_past_about_the_future(
    tmp_path: Path, prefect_server: dict[str, str]
) -> None:
    crossfade = CommandLine(tmp_path, {**prefect_server, "CROSSFADE_HOME": str(tmp_path / "home")})
    size = ("--scale", "0.1", "--catalogue", "0.1")
    assert crossfade("sample", "--out", "data", "--recency", "1", *size).returncode == 0
    done = crossfade("run", "--dataset", "data/dataset.toml")
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(tmp_path / "home/warehouse/current.duckdb"), read_only=True) as release:
        found = release.execute(
            "SELECT e.model, e.segment, e.users FROM evaluation e "
            "WHERE e.segment LIKE 'temporal:%' AND e.metric = 'ndcg' AND e.k = 100"
        ).fetchall()
        checks = release.execute(
            "SELECT q.severity FROM data_quality q "
            "WHERE q.check_name = 'hybrid_keeps_up:temporal:all'"
        ).fetchall()
    users = {(model, segment): number for model, segment, number in found}
    assert {model for model, segment in users if segment == "temporal:all"} == {*TEMPORAL_MODELS}
    assert checks == [("warn",)]
    lines = [line.partition("] ")[2] for line in done.stderr.splitlines()]
    (past,) = (line for line in lines if line.startswith("past: "))
    (temporal,) = (line for line in lines if line.startswith("temporal: "))
    asked = users["hybrid", "temporal:all"]
    known, new = users["hybrid", "temporal:known"], users["hybrid", "temporal:new"]
    assert f"known listeners {known}, new listeners {new}" in past
    assert asked == known + new
    assert f"listeners {asked}, cut 20" in temporal
    api = prefect_server["PREFECT_API_URL"]
    pages = httpx.post(f"{api}/artifacts/filter", json={"sort": "CREATED_DESC", "limit": 20}).json()
    assert any("## Evaluation in time" in (page["data"] or "") for page in pages)
    again = crossfade("run", "--dataset", "data/dataset.toml")
    assert again.returncode == 0, again.stderr
    same = temporal.partition("(")[2]
    assert f"temporal: unchanged, reused ({same}" in again.stderr
