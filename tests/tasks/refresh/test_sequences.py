"""Days in a row: new, late, grown, changed and deleted files give what building at once gives."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from distributed import Client

from flows.decision import recipe_of
from flows.settings import load_settings
from tasks.blend.earlier import KEY
from tasks.blend.parameters import HybridParameters
from tasks.content.parameters import ContentParameters
from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage
from tasks.lake.record import StageResult
from tasks.refresh.base import Found, find_base
from tasks.refresh.frozen import frozen_stage
from tasks.refresh.stage import Before, refreshed_lists_stage
from tasks.refresh.unchanged import is_same_catalogue, unchanged_listeners
from tasks.release.candidate import blend_of_current
from tests.conftest import Published, Sample
from warehouse.releases.home import Home

HEADER = "track_id,user_id,playcount\n"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None
    ) as client:
        yield client


@dataclass
class Base:
    """A copy of the published home, what a refresh takes from it, and inputs to change."""

    home: Home
    found: Found
    hybrid: HybridParameters
    tracks: Path
    plays: Path

    def ingest(self, lake: Path) -> StageResult:
        """Read the input as it is now."""
        return ingest_stage(lake, DatasetSpec.kaggle(self.tracks, self.plays, "days"))

    def refresh(
        self,
        client: Client,
        lake: Path,
        ingested: StageResult,
        before: Before | None,
    ) -> StageResult:
        """Do what a refresh does up to the lists."""
        spec = DatasetSpec.kaggle(self.tracks, self.plays).tracks
        frozen = frozen_stage(
            lake, ingested, self.found.parts, spec.numeric, spec.categorical, ContentParameters()
        )
        return refreshed_lists_stage(lake, client, ingested, frozen, self.hybrid, before)


@pytest.fixture
def base(published: Published, sample: Sample, tmp_path: Path) -> Base:
    shutil.copytree(published.home, tmp_path / "home", symlinks=True)
    home = Home(tmp_path / "home")
    settings = load_settings(tracks=sample.tracks, plays=sample.plays, home=home.path)
    name = settings.spec().name
    found = find_base(home, name, recipe_of(settings))
    (tmp_path / "plays").mkdir()
    shutil.copy(sample.plays, tmp_path / "plays" / "history.csv")
    shutil.copy(sample.tracks, tmp_path / "tracks.csv")
    hybrid = blend_of_current(home, name, settings.hybrid)
    return Base(home, found, hybrid, tmp_path / "tracks.csv", tmp_path / "plays")


def tables(result: StageResult) -> dict[str, pa.Table]:
    """Return all rows of lists, whatever parts they are in."""
    kinds: dict[str, list[pa.Table]] = {}
    for name in sorted(result.datasets):
        kinds.setdefault(name.partition("_")[0], []).append(result[name].read())
    return {kind: pa.concat_tables(parts) for kind, parts in kinds.items()}


def assert_same(one: StageResult, other: StageResult) -> None:
    ours, theirs = tables(one), tables(other)
    assert ours.keys() == theirs.keys()
    for kind in ours:
        assert ours[kind].combine_chunks().equals(theirs[kind].combine_chunks()), kind


def test_the_input_of_the_base_gives_the_lists_of_the_base(client: Client, base: Base) -> None:
    """Nothing but plays moves, so where they did not move nothing does."""
    ingested = base.found.parts["ingest"]
    lists = base.refresh(client, base.home.lake, ingested, None)
    assert_same(lists, base.found.parts["lists"])


def a_day(base: Base, rng: random.Random, day: int) -> None:
    """Change the input as days do: always some plays, sometimes something else."""
    ids = [line.split(",")[0] for line in base.tracks.read_text().splitlines()[1:]]
    listeners = base.found.parts["ingest"]["users"].read(["user_id"])["user_id"].to_pylist()
    people = [*rng.sample(listeners, 8), f"new-{day}-a", f"new-{day}-b"]
    rows = [f"{rng.choice(ids)},{one},{rng.randint(1, 3)}\n" for one in people for _ in "xy"]
    files = sorted(base.plays.glob("day*.csv"))
    kind = rng.choice(["new", "late", "grown", "changed", "deleted"]) if files else "new"
    if kind == "grown":
        with files[-1].open("a") as file:
            file.writelines(rows)
    elif kind == "changed":
        files[0].write_text(HEADER + "".join(rows))
    elif kind == "deleted":
        files[0].unlink()
    else:
        name = f"day-{day:03}.csv" if kind == "new" else f"day-000-late-{day}.csv"
        (base.plays / name).write_text(HEADER + "".join(rows))


def change_catalogue(base: Base, rng: random.Random) -> None:
    """Remove a track and add one that sorts somewhere in the middle."""
    head, *rows = base.tracks.read_text().splitlines(keepends=True)
    rows.remove(rng.choice(rows))
    copied = rng.choice(rows)
    rows.append(f"TRM{rng.randrange(10**6)}" + copied[copied.index(",") :])
    base.tracks.write_text(head + "".join(rows))


@pytest.mark.parametrize("seed", [0, 1])
def test_days_in_a_row_equal_building_at_once(
    client: Client, base: Base, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    before = Before(base.found.parts["ingest"], base.found.parts["lists"])
    for day in range(4):
        a_day(base, rng, day)
        if day == 2:
            change_catalogue(base, rng)
        ingested = base.ingest(base.home.lake)
        if day != 2:
            assert is_same_catalogue(before.ingested, ingested)
            keys = unchanged_listeners(before.ingested, ingested)[KEY]
            taken_over = pc.sum(pc.greater_equal(keys, 0)).as_py()
            assert 0.9 * len(keys) < taken_over < len(keys)
        before = Before(ingested, base.refresh(client, base.home.lake, ingested, before))
    other = tmp_path / "other"
    at_once = base.refresh(client, other, base.ingest(other), None)
    assert_same(before.lists, at_once)
