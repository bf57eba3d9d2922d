"""The peak is that of the whole tree, and what processes share counts once."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.memory import PeakMemory

MB = 1_000_000

HOLDING = """
import subprocess, sys, time
held = b"x" * int(sys.argv[1])
if len(sys.argv) > 2:
    subprocess.run([sys.executable, __file__, *sys.argv[2:]], check=True)
time.sleep(1.5)
"""

MAPPING = """
import mmap, subprocess, sys, time
with open(sys.argv[1], "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    read = sum(mapped[i] for i in range(0, len(mapped), 4096))
if len(sys.argv) > 2:
    subprocess.run([sys.executable, __file__, sys.argv[1]], check=True)
time.sleep(1.5)
"""


def _peak(folder: Path, script: str, *arguments: str) -> int:
    file = folder / "script.py"
    file.write_text(script)
    process = subprocess.Popen([sys.executable, file, *arguments])
    with PeakMemory(process.pid) as memory:
        assert process.wait() == 0
    return memory.bytes


def test_the_peak_holds_a_process_and_its_child_together(tmp_path: Path) -> None:
    assert 150 * MB < _peak(tmp_path, HOLDING, "60000000", "90000000") < 200 * MB


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells proportional shares")
def test_a_file_that_two_processes_map_counts_once(tmp_path: Path) -> None:
    file = tmp_path / "shared.bin"
    file.write_bytes(b"x" * 120 * MB)
    assert 120 * MB < _peak(tmp_path, MAPPING, str(file), "again") < 200 * MB
