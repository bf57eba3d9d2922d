"""A run that got worse is refused: what is published stays, and the reason is told."""

import getpass
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
    first = Manifest.read(pointer.resolve().parent)
    assert first.measured is not None
    assert first.anchor == first.measured
    assert first.gate == "There is no current release of this dataset to compare with."
    plays = shuffled(sample.plays, tmp_path / "shuffled.csv")

    done = crossfade("run", "--tracks", sample.tracks, "--plays", plays)
    assert done.returncode == 1
    assert "the gate refused" in done.stderr
    assert "NDCG@100 fell from" in done.stderr
    assert "Traceback" not in done.stderr
    assert pointer.readlink() == before
    refused = list(pointer.parent.joinpath("releases").iterdir())
    (said,) = (one.gate for one in map(Manifest.read, refused) if one.status == "refused")
    assert f"Compared with the current release {first.release_id} on today's plays of" in said
    (figures,) = (one.comparisons for one in map(Manifest.read, refused) if one.comparisons)
    assert {one.release_id for one in figures} == {first.release_id}
    assert {one.metric for one in figures} == {"recall@20", "recall@50", "ndcg@100"}
    assert sorted(Manifest.read(folder).status for folder in refused) == ["published", "refused"]

    again = crossfade("run", "--tracks", sample.tracks, "--plays", plays)
    assert again.returncode == 1
    kept = list(pointer.parent.joinpath("releases").iterdir())
    assert sorted(Manifest.read(folder).status for folder in kept) == ["published", "refused"]
    assert set(kept) != set(refused)

    why = ("--force", "--reason", "licences of the old plays ended")
    forced = crossfade("run", "--tracks", sample.tracks, "--plays", plays, *why)
    assert forced.returncode == 0, forced.stderr
    manifest = Manifest.read(pointer.resolve().parent)
    assert manifest.status == "forced"
    assert "NDCG@100 fell from" in manifest.reason
    assert manifest.override is not None
    assert (manifest.override.by, manifest.override.because) == (getpass.getuser(), why[2])
    assert manifest.anchor == manifest.measured != first.measured
    with duckdb.connect(str(pointer), read_only=True) as connection:
        models = connection.execute("SELECT DISTINCT model FROM evaluation").fetchall()
        columns = "gate, forced_by, forced_because"
        (row,) = connection.execute(f"SELECT {columns} FROM release").fetchall()
    assert {"hybrid", "popularity", "cosine"} <= {model for (model,) in models}
    assert row == (manifest.gate, getpass.getuser(), why[2])
    listed = crossfade.here("releases")
    assert why[2] in " ".join(listed.stdout.split())


def test_a_reason_goes_with_force(published: Published) -> None:
    done = published.crossfade.here("rollback", "--reason", "because")
    assert done.exit_code == 2
    assert "--reason is for --force; give both, or neither" in " ".join(done.output.split())


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
        ((said,),) = connection.execute("SELECT gate FROM release").fetchall()
    assert said == "Nobody is held out: nothing was measured and nothing compared."
    manifests = [
        Manifest.read(path) for path in sorted(pointer.parent.joinpath("releases").iterdir())
    ]
    assert manifests[1].measured is None
    assert manifests[1].anchor == manifests[0].measured
