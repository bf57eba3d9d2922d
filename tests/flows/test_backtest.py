"""`crossfade backtest` measures every model and publishes nothing."""

import json
from pathlib import Path

import pytest

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
