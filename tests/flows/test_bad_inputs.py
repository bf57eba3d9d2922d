"""Every bad input is used or refused in one sentence; CROSSFADE_BAD_INPUTS says how many."""

import os
import random
from pathlib import Path

import pytest

from tests.benchmarks.bad_inputs import (
    MOST_MEMORY,
    ON_FILES,
    peak_memory,
    run_all,
    table,
    write_valid,
)
from tests.conftest import Published
from warehouse.releases.home import Home

CASES = int(os.environ.get("CROSSFADE_BAD_INPUTS", "75"))
SEED = int(os.environ.get("CROSSFADE_SEED", "0"))


@pytest.mark.timeout(120 + 2 * CASES)
def test_bad_inputs_are_used_or_refused_in_one_sentence(published: Published) -> None:
    results = run_all(CASES, SEED, Home(published.home))
    print(table(results))
    assert [result for result in results if result.wrong] == []
    assert {result.status for result in results} <= {0, 1, 2}
    assert peak_memory() < MOST_MEMORY


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(4))
def test_so_they_are_by_the_command_line(published: Published, tmp_path: Path, number: int) -> None:
    rng = random.Random(f"{SEED}-command-{number}")
    write_valid(tmp_path)
    rng.choice(ON_FILES)(rng, tmp_path)
    done = published.crossfade(
        "run", "--dataset", tmp_path / "dataset.toml", "--home", tmp_path / "home", timeout=400
    )
    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("crossfade: ")]
        assert len(said) == 1
        assert done.stderr.rstrip().endswith(said[0])
