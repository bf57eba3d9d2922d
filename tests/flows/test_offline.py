"""Explorer and Prefect UI ask nothing of anybody outside this machine."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Published
from tests.warehouse.explorer.browsing import CHROMIUM

ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
"""Runs a command in a network namespace that has only the loopback interface."""


def _cannot_be_alone() -> bool:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return True
    return subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode != 0


@pytest.mark.skipif(_cannot_be_alone(), reason="a network namespace needs root and unshare")
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.timeout(900)
def test_nothing_is_asked_for_outside(published: Published, tmp_path: Path) -> None:
    done = subprocess.run(
        [*ALONE, sys.executable, "-m", "tests.flows.offline", str(published.home), str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["requests"] == []
    assert found["lookups"] == []
    assert set(found["statuses"]) == {403}
