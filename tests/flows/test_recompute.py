"""What a run computes again: only what its inputs, the code or damage ask for."""

from pathlib import Path

import pytest

from tests.conftest import Published, Sample
from tests.flows.homes import contents, copied, said

TOLD = ("ingest", "choice", "collaborative", "content", "evaluation", "lists")
"""The stages whose log says whether they were reused."""


def lake_files(home: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (home / "lake").rglob("*") if path.is_file()}


def test_the_same_input_again_computes_and_publishes_nothing(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade = copied(published, tmp_path)
    home = tmp_path / "home"
    before = lake_files(home)
    for path in (sample.tracks, sample.plays):
        path.touch()
    done = crossfade("run", *sample.flags)
    assert done.returncode == 0, done.stderr
    assert "is still current: inputs unchanged" in done.stdout
    assert {stage: said(stage, done.stderr) for stage in TOLD} == dict.fromkeys(TOLD, "reused")
    assert lake_files(home) == before
    assert len(list((home / "warehouse" / "releases").iterdir())) == 1


def test_only_the_catalogue_changed_and_the_collaborative_side_is_reused(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade = copied(published, tmp_path)
    before = lake_files(tmp_path / "home")
    tracks = tmp_path / "Music Info.csv"
    header, first, *rest = sample.tracks.read_text().splitlines()
    track_id, _, others = first.split(",", 2)
    tracks.write_text("\n".join([header, f"{track_id},Another Name,{others}", *rest]) + "\n")
    done = crossfade("run", "--tracks", tracks, "--plays", sample.plays)
    assert done.returncode == 0, done.stderr
    assert {stage: said(stage, done.stderr) for stage in TOLD} == {
        **dict.fromkeys(TOLD, "computed"),
        "choice": "reused",
        "collaborative": "reused",
    }
    after = lake_files(tmp_path / "home")
    assert {path: after[path] for path in before} == before
    written = {
        path.relative_to(tmp_path / "home" / "lake").parts[0] for path in after - before.keys()
    }
    assert written == {"ingest", "hiding", "content", "evaluation", "measured", "lists"}
    name = crossfade("recommend", "--similar-to", track_id, "-k", "1")
    assert name.returncode == 0
    searched = contents(tmp_path / "home" / "warehouse" / "current.duckdb")
    unchanged = contents(published.database)
    assert searched["tracks"] != unchanged["tracks"]
    assert searched["users"] == unchanged["users"]


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["ingest", "holdout"])
def test_a_damaged_file_is_noticed_and_made_again(
    published: Published, sample: Sample, tmp_path: Path, stage: str
) -> None:
    crossfade = copied(published, tmp_path)
    home = tmp_path / "home"
    files = sorted((home / "lake" / stage).rglob("*.parquet"))
    whole = {path: path.read_bytes() for path in files}
    for path in files[::2]:
        flipped = bytearray(whole[path])
        flipped[len(flipped) // 3] ^= 1  # the footer that a reader looks at first stays whole
        path.write_bytes(flipped)
    for path in files[1::2]:
        path.unlink()
    done = crossfade("run", *sample.flags, timeout=600)
    assert done.returncode == 0, done.stderr
    assert {one for one in TOLD if said(one, done.stderr) == "computed"} == {stage} & {*TOLD}
    assert "is still current: inputs unchanged" in done.stdout
    assert {path: path.read_bytes() for path in files} == whole
