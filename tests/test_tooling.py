"""The locks agree with pyproject.toml, and the pre-commit hooks with `make lint`."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import BIN

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
DECLARED = {
    "bootstrap": GROUPS["bootstrap"],
    "runtime": [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["explorer"],
        *PROJECT["project"]["optional-dependencies"]["serve"],
        *GROUPS["build"],
    ],
    "dev": GROUPS["dev"],
}
"""What each of requirements/*.lock is compiled from."""


def declared(name: str) -> dict[str, Requirement]:
    """Return the direct dependencies of a lock by package."""
    return {canonicalize_name(one.name): one for one in map(Requirement, DECLARED[name])}


def entries(name: str) -> dict[str, str]:
    """Return the text of each package in a lock: version, hashes and who asked for it."""
    text = (ROOT / "requirements" / f"{name}.lock").read_text()
    return {entry.split("==")[0]: entry for entry in re.split(r"\n(?=[a-z0-9])", text)[1:]}


def versions(name: str) -> dict[str, str]:
    """Return the version of each package in a lock."""
    return {package: entry.split()[0].split("==")[1] for package, entry in entries(name).items()}


@pytest.mark.parametrize("name", DECLARED)
def test_a_lock_holds_what_pyproject_declares_and_what_that_needs(name: str) -> None:
    asked = {package for package, entry in entries(name).items() if "crossfade (" in entry}
    assert asked == declared(name).keys(), "run `make lock`"
    locked = versions(name)
    for package, requirement in declared(name).items():
        assert requirement.specifier.contains(locked[package]), f"{package}: run `make lock`"


@pytest.mark.parametrize("name", DECLARED)
def test_every_locked_package_has_a_hash_and_no_file_names_an_index(name: str) -> None:
    assert all("--hash=sha256:" in entry for entry in entries(name).values())
    text = (ROOT / "requirements" / f"{name}.lock").read_text()
    assert not re.search(r"https?:|file:|--index|--find-links|--trusted", text)


def test_the_development_lock_lies_on_top_of_the_run_time_lock() -> None:
    run_time, dev = versions("runtime"), versions("dev")
    both = run_time.keys() & dev.keys()
    assert {name: dev[name] for name in both} == {name: run_time[name] for name in both}
    assert not declared("dev").keys() & run_time.keys()


def test_pre_commit_runs_what_make_lint_runs() -> None:
    planned = subprocess.run(
        ["make", "--dry-run", "--always-make", "lint"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    commands = [
        line for line in planned.splitlines() if re.match(r"\.venv/bin/(?!uv|python)", line)
    ]
    config = ROOT / ".pre-commit-config.yaml"
    assert re.findall(r"^ *entry: (.*)$", config.read_text(), re.MULTILINE) == commands
    subprocess.run([BIN / "pre-commit", "validate-config", config], check=True)
