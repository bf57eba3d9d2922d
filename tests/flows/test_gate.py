"""A run that got worse is refused: what is published stays, and the reason is told."""

import random
from pathlib import Path

import duckdb

from tests.conftest import Published, Sample
from tests.flows.homes import copied
from warehouse.releases.manifest import Manifest


def shuffled(plays: Path, to: Path) -> Path:
    """Permute the tracks among the plays: the same counts, no taste left in them."""
    header, *records = plays.read_text().splitlines()
    tracks, rest = zip(*(record.split(",", 1) for record in records), strict=True)
    mixed = list(tracks)
    random.Random(0).shuffle(mixed)
    rows = dict.fromkeys(f"{track},{one}" for track, one in zip(mixed, rest, strict=True))
    to.write_text("\n".join([header, *rows]) + "\n")
    return to


def test_shuffled_plays_are_refused_and_force_publishes(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade = copied(published, tmp_path)
    pointer = tmp_path / "home" / "warehouse" / "current.duckdb"
    before = pointer.readlink()
    plays = shuffled(sample.plays, tmp_path / "shuffled.csv")

    done = crossfade("run", "--tracks", sample.tracks, "--plays", plays)
    assert done.returncode == 1
    assert "the gate refused" in done.stderr
    assert "NDCG@100 fell from" in done.stderr
    assert "Traceback" not in done.stderr
    assert pointer.readlink() == before
    refused = list(pointer.parent.joinpath("releases").iterdir())
    assert sorted(Manifest.read(folder).status for folder in refused) == ["published", "refused"]

    again = crossfade("run", "--tracks", sample.tracks, "--plays", plays)
    assert again.returncode == 1
    kept = list(pointer.parent.joinpath("releases").iterdir())
    assert sorted(Manifest.read(folder).status for folder in kept) == ["published", "refused"]
    assert set(kept) != set(refused)

    forced = crossfade("run", "--tracks", sample.tracks, "--plays", plays, "--force")
    assert forced.returncode == 0, forced.stderr
    manifest = Manifest.read(pointer.resolve().parent)
    assert manifest.status == "forced"
    assert "NDCG@100 fell from" in manifest.reason
    with duckdb.connect(str(pointer), read_only=True) as connection:
        models = connection.execute("SELECT DISTINCT model FROM evaluation").fetchall()
    assert {"hybrid", "popularity", "cosine"} <= {model for (model,) in models}


def test_without_a_holdout_nothing_is_measured_and_weights_come_from_the_current_release(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade = copied(published, tmp_path)
    pointer = tmp_path / "home" / "warehouse" / "current.duckdb"
    segments = "SELECT segment, weight, popularity FROM segments"
    with duckdb.connect(str(pointer), read_only=True) as connection:
        learned = connection.execute(segments).fetchall()
    done = crossfade("run", *sample.flags, "--holdout", "0")
    assert done.returncode == 0, done.stderr
    assert "nobody is held out" in done.stderr
    with duckdb.connect(str(pointer.resolve()), read_only=True) as connection:
        assert connection.execute(segments).fetchall() == learned
        assert connection.execute("SELECT count(*) FROM evaluation").fetchall() == [(0,)]
