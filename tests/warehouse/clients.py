"""Other clients of a release, each in a virtual environment of its own."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest


def install(packages: Iterable[str], folder: Path) -> Path:
    """Install packages into a new environment; return its Python, or skip the test."""
    uv, python = Path(sys.executable).with_name("uv"), folder / "bin" / "python"
    commands: list[list[str | Path]] = [
        ["venv", "--quiet", "--python", sys.executable, folder],
        ["pip", "install", "--quiet", "--python", python, *packages],
    ]
    for command in commands:
        run = subprocess.run([uv, *command], capture_output=True, text=True, check=False)
        if run.returncode:
            pytest.skip(f"{list(packages)} cannot be had from the package index: {run.stderr}")
    return python
