"""What is stored under a key is what was hashed for it, and every byte is hashed once."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tasks.dataset.spec import DatasetSpec
from tasks.ingest import stage
from tasks.ingest.files import InputFile
from tasks.ingest.scan import input_digests
from tasks.ingest.stage import ingest_stage
from warehouse.errors import InputError

TRACKS = b"track_id,name,artist\nT1,One,A\nT2,Two,B\n"
PLAYS = b"track_id,user_id,playcount\nT1,u,1\nT2,u,2\nT1,v,3\n"


@pytest.fixture
def spec(tmp_path: Path) -> DatasetSpec:
    (tmp_path / "t.csv").write_bytes(TRACKS)
    (tmp_path / "p.csv").write_bytes(PLAYS)
    return DatasetSpec.kaggle(tmp_path / "t.csv", tmp_path / "p.csv")


@pytest.mark.parametrize("how", ["renamed over", "written into", "deleted"])
def test_a_file_that_changes_between_hashing_and_reading_is_never_stored(
    spec: DatasetSpec, tmp_path: Path, how: str
) -> None:
    plays = tmp_path / "p.csv"

    def change() -> None:  # called after the files were hashed, before they are read
        if how == "renamed over":
            (tmp_path / "new").write_bytes(PLAYS.replace(b"T1,v,3", b"T2,v,9"))
            (tmp_path / "new").replace(plays)
        elif how == "written into":
            plays.write_bytes(PLAYS.replace(b"T1,v,3", b"T2,v,9"))
        else:
            (tmp_path / "kept").write_bytes(PLAYS)

    def delete_after_reading(*given: object) -> object:
        result = compute(*given)  # type: ignore[arg-type]
        plays.unlink()
        return result

    compute = stage._compute
    with pytest.MonkeyPatch.context() as patch:
        if how == "deleted":
            patch.setattr(stage, "_compute", delete_after_reading)
        with pytest.raises(InputError, match=r"p\.csv changed while it was read; run again"):
            ingest_stage(tmp_path / "lake", spec, computing=change)
    plays.write_bytes(PLAYS)
    again = ingest_stage(tmp_path / "lake", spec)
    assert not again.reused
    assert again["interactions"].read().to_pydict()["plays"] == [1, 2, 3]


def test_a_file_that_is_touched_or_copied_over_itself_is_fine(
    spec: DatasetSpec, tmp_path: Path
) -> None:
    def change() -> None:
        (tmp_path / "new").write_bytes(PLAYS)
        (tmp_path / "new").replace(tmp_path / "p.csv")
        (tmp_path / "t.csv").touch()

    assert ingest_stage(tmp_path / "lake", spec, computing=change).counts["plays_rows"] == 3


def test_every_file_is_hashed_once(spec: DatasetSpec, tmp_path: Path) -> None:
    hashed: list[str] = []

    def counting(files: Sequence[InputFile]) -> dict[str, str]:
        hashed.extend(file.name for file in files)
        return input_digests(files)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "input_digests", counting)
        first = ingest_stage(tmp_path / "lake", spec)
        assert sorted(hashed) == ["p.csv", "t.csv"]
        second = ingest_stage(tmp_path / "lake", spec)
    assert second.reused
    assert first.inputs == second.inputs
    assert sorted(first.inputs) == ["p.csv", "t.csv"]
