"""docs/dataset.md says what the code does."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from tasks.dataset.dislikes import DislikesSpec
from tasks.dataset.experiments import Experiment
from tasks.dataset.feedback import EventsSpec, ExposuresSpec
from tasks.dataset.files import FilesSpec
from tasks.dataset.mistakes import NOT_IN_TOML
from tasks.dataset.spec import DatasetSpec, PlaysSpec, TracksSpec
from tasks.experiments.stage import CHECKS as FEEDBACK_CHECKS
from tasks.ingest.checks import all_checks
from tasks.ingest.limits import DriftLimits, IngestLimits
from tasks.ingest.reasons import FEEDBACK_REASONS, REASONS
from tasks.lake.contracts.document import input_table
from tasks.lake.contracts.inputs import PLAYS_FILE, TRACKS_FILE, InputColumn

PAGE = (Path(__file__).parents[3] / "docs" / "dataset.md").read_text(encoding="utf-8")


def rows(width: int, text: str = PAGE) -> dict[str, tuple[str, ...]]:
    """Return the table rows of that width by their first cell."""
    cells = [
        tuple(re.sub(r"^`([^`]*)`$", r"\1", cell.strip()) for cell in line.strip("|").split("|"))
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    return {first: rest for first, *rest_ in cells if len(rest := tuple(rest_)) == width - 1}


def test_the_example_is_a_dataset(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert example
    (tmp_path / "movies.toml").write_text(example[1])
    spec = DatasetSpec.from_toml(tmp_path / "movies.toml")
    assert spec.name == "movies"


def test_every_example_is_a_dataset(tmp_path: Path) -> None:
    examples = [
        one for one in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[plays]" in one
    ]
    assert len(examples) == 6
    for example in examples:
        (tmp_path / "it.toml").write_text(example)
        DatasetSpec.from_toml(tmp_path / "it.toml")


def test_every_field_is_described() -> None:
    models: dict[str, type[BaseModel]] = {
        "tracks": TracksSpec,
        "plays": PlaysSpec,
        "feedback.exposures": ExposuresSpec,
        "feedback.events": EventsSpec,
        "experiments": Experiment,
    }
    common = {field.alias or name for name, field in FilesSpec.model_fields.items()}
    for field in common:
        assert f"`{field}`" in PAGE
    for table, model in models.items():
        for name, described in model.model_fields.items():
            field = described.alias or name
            if field not in common and field not in NOT_IN_TOML:
                assert f"`{table}.{field}`" in PAGE
    section = PAGE.split("### Dislikes")[1].split("\n### ")[0]
    assert rows(3, section).keys() == DislikesSpec.model_fields.keys()


def test_every_reason_is_described_as_in_the_code() -> None:
    reasons = REASONS | FEEDBACK_REASONS
    assert {name: text for name, (text,) in rows(2).items() if name in reasons} == reasons


def test_every_limit_is_there_with_its_default() -> None:
    section = PAGE.split("## Limits and checks")[1].split("\n## ")[0]
    described = {name: cells[0] for name, cells in rows(3, section).items()}
    defaults = {
        **{name: field.default for name, field in IngestLimits.model_fields.items()},
        **{f"drift.{name}": field.default for name, field in DriftLimits.model_fields.items()},
    }
    del defaults["drift"]
    assert described == {name: str(value) for name, value in defaults.items()}


def test_every_check_is_named() -> None:
    named = {"rejected_rows", "duplicate_plays"}  # by their limits
    for check in (*all_checks(), *all_checks(FEEDBACK_CHECKS)):
        assert check.name in named or f"`{check.name}`" in PAGE


@pytest.mark.parametrize("columns", [TRACKS_FILE, PLAYS_FILE])
def test_every_column_of_the_kaggle_pair_is_described(columns: tuple[InputColumn, ...]) -> None:
    assert "\n".join(input_table(columns)) in PAGE
