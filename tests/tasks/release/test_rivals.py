"""What a challenger is compared with, and what is said where there is nothing to compare with."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.lake.contracts.stages.measured import STAGE
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage
from tasks.lake.retention import forget_unused
from tasks.release.kept import kept_model
from tasks.release.measured import FORMAT
from tasks.release.measured_model import find_measured
from tasks.release.rivals import find_rivals, rule_of_current
from tasks.release.stage import publish_stage
from warehouse.contract.versions import SCHEMA_VERSION, STORAGE_VERSION
from warehouse.files import file_digest
from warehouse.releases.home import DATABASE, Home
from warehouse.releases.manifest import KeptModel, Manifest, Override
from warehouse.releases.pointer import make_current, rollback
from warehouse.releases.release import Release, adopt
from warehouse.releases.retention import kept_models, prune


def kept(home: Home, number: int, form: int = FORMAT) -> KeptModel:
    """Write a measured model, of no tracks, into the lake."""
    stage = Stage(home.lake, STAGE, number=number)
    files = {}
    for name, contract in STAGE.datasets.items():
        files[name] = stage.folder / f"{name}.parquet"
        write_parquet(contract.schema.empty_table(), files[name])
    result = stage.finish(0.0, {"format": form, "share": 0.01, "seed": 0}, **files)
    return kept_model(result, _id(number))


def _id(number: int) -> str:
    return f"20260101T{number:06}-test"


def release(
    home: Home,
    number: int,
    measured: KeptModel | None,
    anchor: KeptModel | None,
    schema_version: int = SCHEMA_VERSION,
    status: str = "candidate",
) -> Release:
    """Put a release with a manifest and an empty file among the others."""
    folder = home.building / _id(number)
    folder.mkdir(parents=True)
    (folder / DATABASE).write_bytes(b"")
    manifest = Manifest.model_validate(
        {
            "release_id": _id(number),
            "schema_version": schema_version,
            "storage_version": STORAGE_VERSION,
            "duckdb_version": "-",
            "code_version": "-",
            "created_at": datetime.now(UTC),
            "dataset": "music",
            "fingerprint": str(number),
            "inputs": {},
            "parameters": {},
            "row_counts": {},
            "stage_seconds": {},
            "bytes": 0,
            "digest": file_digest(folder / DATABASE),
            "status": status,
            "measured": measured,
            "anchor": anchor,
        }
    )
    return adopt(home, folder, manifest)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_the_first_release_has_nobody_to_beat(home: Home) -> None:
    found = find_rivals(home, "music")
    assert (found.models, found.anchor) == ((), None)
    assert found.notes == ("there is no current release of this dataset to compare with",)
    publish_stage(home, release(home, 1, one := kept(home, 1), one))
    assert find_rivals(home, "films").models == ()


def test_current_release_and_anchor_are_compared_once_each(home: Home) -> None:
    first, second = kept(home, 1), kept(home, 2)
    publish_stage(home, release(home, 1, first, first))
    found = find_rivals(home, "music")
    assert [(one.role, one.kept) for one in found.models] == [("current release", first)]
    assert found.anchor == first
    publish_stage(home, release(home, 2, second, first))
    found = find_rivals(home, "music")
    roles = [(one.role, one.kept) for one in found.models]
    assert roles == [("current release", second), ("anchor", first)]
    assert found.anchor == first
    assert found.notes == ()
    rule = rule_of_current(home, "music")
    assert rule is not None
    assert (rule.seed, rule.share) == (0, 0.01)
    assert rule_of_current(home, "films") is None


def test_releases_of_older_versions_are_not_compared(home: Home) -> None:
    publish_stage(home, release(home, 1, None, None))
    found = find_rivals(home, "music")
    assert (found.models, found.anchor) == ((), None)
    assert "kept no measured model" in found.notes[0]
    assert rule_of_current(home, "music") is None


def test_a_release_that_measured_nothing_hands_its_anchor_on(home: Home) -> None:
    publish_stage(home, release(home, 1, None, kept(home, 0)))
    found = find_rivals(home, "music")
    assert [one.role for one in found.models] == ["anchor"]
    assert "kept no measured model" in found.notes[0]


def test_another_form_is_not_compared_and_another_schema_is(home: Home) -> None:
    first, other = kept(home, 1), kept(home, 2, form=FORMAT + 1)
    publish_stage(home, release(home, 1, other, other))
    found = find_rivals(home, "music")
    assert (found.models, found.anchor) == ((), None)
    assert f"has form {FORMAT + 1}, this version makes form {FORMAT}" in found.notes[0]
    assert rule_of_current(home, "music") is None
    older = release(home, 3, first, first, schema_version=SCHEMA_VERSION + 1, status="published")
    home.current.unlink()
    home.current.symlink_to(Path("releases") / older.folder.name / DATABASE)
    assert [one.kept for one in find_rivals(home, "music").models] == [first]


@pytest.mark.parametrize("damage", ["gone", "other file", "no record"])
def test_a_damaged_model_is_said_and_the_current_release_becomes_the_anchor(
    home: Home, damage: str
) -> None:
    first, second = kept(home, 1), kept(home, 2)
    publish_stage(home, release(home, 2, second, first))
    folder = home.lake / "measured" / first.key
    if damage == "gone":
        (folder / "weights.parquet").unlink()
    elif damage == "no record":
        (folder / "stage.json").unlink()
    else:
        table = pa.table({"source": pa.array([1], pa.int32())})
        write_parquet(table, folder / "weights.parquet")
    assert find_measured(home.lake, first) is None
    found = find_rivals(home, "music")
    assert [one.kept for one in found.models] == [second]
    assert found.anchor == second
    assert found.notes[0].endswith(f"not compared with it; the anchor is now {_id(2)}")


def test_models_stay_in_the_lake_as_long_as_a_release_names_them(home: Home) -> None:
    first, second, third = (kept(home, number) for number in (1, 2, 3))
    for number, model in ((1, first), (2, second), (3, third)):
        publish_stage(home, release(home, number, model, first))
    for number in range(4, 8):
        kept(home, number)
    forget_unused(home.lake, 1, kept_models(home))
    here = {path.name for path in (home.lake / "measured").iterdir()}
    assert here > {first.key, second.key, third.key}
    assert len(here) == 4
    prune(home, 1)
    forget_unused(home.lake, 1, kept_models(home))
    here = {path.name for path in (home.lake / "measured").iterdir()}
    assert here >= {first.key, third.key}  # the anchor of the release that is left, and its own
    assert second.key not in here


def test_an_override_keeps_who_and_why_and_starts_from_there(home: Home) -> None:
    first, second = kept(home, 1), kept(home, 2)
    publish_stage(home, release(home, 1, first, first))
    by = Override(by="ada", because="licences", at=datetime.now(UTC))
    forced = publish_stage(home, release(home, 2, second, first), "it fell", by)
    again = Manifest.read(forced.folder)
    assert (again.status, again.reason, again.override) == ("forced", "it fell", by)
    assert again.anchor == second
    refused = release(home, 3, kept(home, 3), first, status="refused")
    back = rollback(home, refused.manifest.release_id, force=True, override=by)
    assert back.manifest.override == by
    assert back.manifest.anchor == back.manifest.measured
    assert rollback(home, _id(1)).manifest.override is None
    make_current(home, forced)
