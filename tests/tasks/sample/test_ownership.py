"""A sample replaces what samples wrote, and nothing else."""

from pathlib import Path

import pytest

from tasks.sample import SampleParameters, generate_sample
from tasks.sample.ownership import RECORD
from warehouse.errors import InputError

TINY = SampleParameters(scale=0.05, catalogue=0.1)
WITH_FEEDBACK = TINY.model_copy(update={"feedback": True})
NAMES = (
    "Music Info.csv",
    "User Listening History.csv",
    "exposures.csv",
    "events.csv",
    "exposures-last-week.csv",
    "events-last-week.csv",
    "crossfade.toml",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_somebody_else_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("mine\n")
    with pytest.raises(InputError, match=rf"{name} was not written by `crossfade sample`.*--out"):
        generate_sample(tmp_path, WITH_FEEDBACK)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine\n"


def test_samples_replace_samples(tmp_path: Path) -> None:
    generate_sample(tmp_path, WITH_FEEDBACK)
    first = {name: (tmp_path / name).read_bytes() for name in NAMES}
    generate_sample(tmp_path, WITH_FEEDBACK.model_copy(update={"seed": 1}))
    second = {name: (tmp_path / name).read_bytes() for name in NAMES}
    assert all(first[name] != second[name] for name in NAMES[:6])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*NAMES, RECORD])


def test_a_sample_that_somebody_changed_is_theirs(tmp_path: Path) -> None:
    generate_sample(tmp_path, TINY)
    history = tmp_path / "User Listening History.csv"
    history.write_bytes(history.read_bytes().replace(b",1\n", b",2\n", 1))
    with pytest.raises(InputError, match="was changed since"):
        generate_sample(tmp_path, TINY)


def test_an_unrecorded_sample_may_be_written_again(tmp_path: Path) -> None:
    generate_sample(tmp_path, TINY)
    (tmp_path / RECORD).unlink()
    generate_sample(tmp_path, TINY)
    assert (tmp_path / RECORD).is_file()


def test_a_link_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "Music Info.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(InputError, match="was not written by"):
        generate_sample(tmp_path, TINY)
