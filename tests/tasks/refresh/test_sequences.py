"""Days in a row: new, late, grown, changed and deleted files give what building at once gives."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from distributed import Client

from flows.decision import recipe_of
from flows.settings import load_settings
from tasks.blend.earlier import EarlierListeners, KnownLists
from tasks.blend.parameters import HybridParameters
from tasks.content.parameters import ContentParameters
from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage
from tasks.lake.blocks import Block
from tasks.lake.record import StageResult
from tasks.refresh.base import Found, find_base
from tasks.refresh.frozen import frozen_stage
from tasks.refresh.stage import Before, refreshed_lists_stage
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
    ) -> Before:
        """Do what a refresh does up to the lists; return what the next one compares with."""
        spec = DatasetSpec.kaggle(self.tracks, self.plays).tracks
        frozen = frozen_stage(
            lake, ingested, self.found.parts, spec.numeric, spec.categorical, ContentParameters()
        )
        lists = refreshed_lists_stage(lake, client, ingested, frozen, self.hybrid, before)
        return Before(ingested, lists, frozen["content"])


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
    made = base.refresh(client, base.home.lake, ingested, None)
    assert_same(made.lists, base.found.parts["lists"])


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


def change_catalogue(base: Base, rng: random.Random, kind: str) -> None:
    """Add a track that sorts somewhere in the middle, remove or retag one, or rename an artist."""
    head, *rows = base.tracks.read_text().splitlines(keepends=True)
    columns = head.rstrip().split(",")
    place = rng.randrange(len(rows))
    cells = rows[place].split(",")
    if kind == "new":
        rows.append(f"TRM{rng.randrange(10**6)}" + rows[place][rows[place].index(",") :])
    elif kind == "removed":
        del rows[place]
    elif kind == "retagged":
        place = next(x for x, row in enumerate(rows) if row.startswith("TRM"))
        cells = rows[place].split(",")
        cells[columns.index("year")] = "1971"
        cells[columns.index("danceability")] = "0.01"
        rows[place] = ",".join(cells)
    else:
        cells[columns.index("artist")] = "Somebody Else"
        rows[place] = ",".join(cells)
    base.tracks.write_text(head + "".join(rows))


@pytest.mark.parametrize("seed", [0, 1])
def test_days_in_a_row_equal_building_at_once(
    client: Client, base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    taken_over = 0
    of_block = EarlierListeners.of_block

    def counted(earlier: EarlierListeners, block: Block) -> KnownLists:
        nonlocal taken_over
        known = of_block(earlier, block)
        taken_over += len(known.known)
        return known

    monkeypatch.setattr(EarlierListeners, "of_block", counted)
    rng = random.Random(seed)
    parts = base.found.parts
    before = Before(parts["ingest"], parts["lists"], parts["content"]["content"])
    moved = 0
    for day, kind in enumerate(("", "new", "retagged", "removed", "", "renamed")):
        a_day(base, rng, day)
        if kind:
            change_catalogue(base, rng, kind)
        ingested = base.ingest(base.home.lake)
        taken_over = 0
        before = base.refresh(client, base.home.lake, ingested, before)
        moved, moved_before = len(list((base.home.lake / "frozen").glob("*"))), moved
        assert moved == moved_before + bool(kind)  # plays alone move no table of the base
        share = taken_over / ingested["users"].rows
        assert {"": 0.9, "retagged": 0.9, "new": 0.05}.get(kind, -1) < share < 1
        other = tmp_path / f"other-{day}"
        assert_same(before.lists, base.refresh(client, other, base.ingest(other), None).lists)
