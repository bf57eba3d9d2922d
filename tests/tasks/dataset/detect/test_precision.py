"""Decisions on many shapes of data sets: none is wrong without being marked as a guess."""

from collections import Counter
from pathlib import Path

import pytest

from tasks.dataset.detect.document import write_document
from tasks.dataset.detect.inputs import look_at
from tasks.dataset.detect.proposal import Proposal, propose
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.spec import DatasetSpec
from tests.tasks.dataset.detect.cases import CASES
from tests.tasks.dataset.detect.more_cases import MORE_CASES
from tests.tasks.dataset.detect.shapes import SHAPES, Shape

ALL = (*SHAPES, *CASES, *MORE_CASES)


def proposed(shape: Shape, folder: Path) -> Proposal:
    """Write a shape's files and look at them."""
    shape.write(folder)
    return propose(look_at([str(path) for path in sorted(folder.iterdir())]))


def verdicts(shape: Shape, proposal: Proposal) -> dict[str, str]:
    """Judge every decision that the truth speaks of: field → right, asked or wrong."""
    found: dict[str, str] = {}
    for field, truth in shape.truth.items():
        decision = proposal.decision(field)
        value = decision.value if decision else None
        if field.endswith(".path") and value:
            value = Path(value[0]).name
        if decision and decision.sureness is Sureness.GUESS:
            found[field] = "asked"
        else:
            found[field] = "right" if value == truth else f"wrong: {value!r}, not {truth!r}"
    return found


@pytest.mark.parametrize("shape", ALL, ids=lambda shape: shape.name)
def test_no_decision_is_wrong_without_asking(shape: Shape, tmp_path: Path) -> None:
    found = verdicts(shape, proposed(shape, tmp_path))
    assert {field: said for field, said in found.items() if said.startswith("wrong")} == {}


@pytest.mark.parametrize("shape", ALL, ids=lambda shape: shape.name)
def test_the_best_guess_is_right_too(shape: Shape, tmp_path: Path) -> None:
    """Nobody has to answer: where a question would be asked, the proposal is right as it is."""
    proposal = proposed(shape, tmp_path)
    values = {field: proposal.value(field) for field in shape.truth if not field.endswith(".path")}
    assert values == {f: v for f, v in shape.truth.items() if not f.endswith(".path")}


@pytest.mark.parametrize("shape", ALL, ids=lambda shape: shape.name)
def test_the_document_is_a_valid_dataset_toml(shape: Shape, tmp_path: Path) -> None:
    proposal = proposed(shape, tmp_path)
    toml = tmp_path / "written.toml"
    toml.write_text(write_document(proposal, tmp_path, "a \"name\" with 'quotes'"))
    spec = DatasetSpec.from_toml(toml)
    assert spec.name == "a \"name\" with 'quotes'"
    assert [Path(path) for path in spec.plays.path] == [
        Path(path) for path in proposal.history.paths
    ]
    assert spec.tracks.derived == (proposal.catalogue is None)
    for guess in proposal.open_questions:
        assert "# Check this, it is a guess: " in toml.read_text(), guess.field


def test_most_decisions_need_no_question(tmp_path: Path) -> None:
    """The table of precision: few questions, for files without names or events."""
    counted: Counter[str] = Counter()
    for number, shape in enumerate(ALL):
        folder = tmp_path / str(number)
        folder.mkdir()
        said = verdicts(shape, proposed(shape, folder)).values()
        counted.update(one.partition(":")[0] for one in said)
    print(dict(counted))
    assert counted["wrong"] == 0
    assert counted["right"] > 12 * counted["asked"]
