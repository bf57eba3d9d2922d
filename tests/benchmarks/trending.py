"""How `trending` does where nothing rises and where something does; see music_times.py."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.dataset.spec import DatasetSpec
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.ingest.stage import ingest_stage
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.release.recent import DAY, TRENDING, USUAL_WINDOWS, FirstPlays, Ints, trending_tracks
from tasks.sample import SampleParameters, generate_sample

TWICE = 2.0
"""Ratio of new listeners to the usual number beyond which the plain rule calls a track rising, …"""
FEWEST = 5
"""… if it has as many."""
CUTS = 10
LISTED = 10
RESAMPLES = 2_000


@dataclass(frozen=True)
class Source:
    """A data set with times."""

    name: str
    dataset: Path
    plays: str
    """The file of the plays, beside the TOML."""
    moment: str
    """Expression for the second since 1970 of a row of it."""
    cut_days: int
    """The last days, which are cut off."""
    new_days: int
    """Until which age a track is new."""


@dataclass(frozen=True)
class FirstListens:
    """Who played what for the first time on which day; a row for each."""

    user: Ints
    played: Ints
    day: Ints

    @classmethod
    def of(cls, dataset: Path, lake: Path) -> "FirstListens":
        """Read a data set."""
        ingested = ingest_stage(lake, DatasetSpec.from_toml(dataset))
        rows = ingested["interactions"].read(["user_key", "played_key", "first_at"])
        user, played, second = (
            rows[name].cast(pa.int64()).to_numpy() for name in rows.column_names
        )
        return cls(user, played, second // DAY)

    @property
    def tracks(self) -> int:
        """Number of played tracks."""
        return int(self.played.max()) + 1

    def between(self, begin: int, end: int) -> Ints:
        """Count the new listeners of each track from day ``begin`` until before day ``end``."""
        here = self.played[(self.day >= begin) & (self.day < end)]
        return np.bincount(here, minlength=self.tracks)

    def trending(self, end: int, folder: Path) -> pa.Table:
        """Return what `trending` holds if the data ends before day ``end``."""
        kept = self.day < end
        table = pa.table(
            {
                "played_key": self.played[kept].astype(np.int32),
                "first_at": (self.day[kept] * DAY).astype(np.uint32),
            }
        )
        write_parquet(table, folder / "first_plays.parquet")
        plays = FirstPlays.of(Dataset.of(folder / "first_plays.parquet"), self.tracks)
        keys = np.arange(self.tracks, dtype=np.int32)
        return trending_tracks(plays, keys) if plays else TRENDING.empty_table()

    def usual(self, end: int, days: int) -> NDArray[np.float64]:
        """Return how many new listeners of each track are usual in a window that ends there."""
        before = self.between(end - (USUAL_WINDOWS + 1) * days, end - days)
        recent = self.between(end - days, end)
        return np.asarray(before * (recent.sum() / max(int(before.sum()), 1)))

    def shuffled(self, seed: int) -> "FirstListens":
        """Give each listener's plays the begin of another listener: tracks say nothing of days."""
        rng = np.random.default_rng(seed)
        begin = np.full(int(self.user.max()) + 1, np.iinfo(np.int64).max)
        np.minimum.at(begin, self.user, self.day)
        day = self.day - begin[self.user] + rng.permutation(begin)[self.user]
        return FirstListens(self.user, self.played, day)


def print_trending(
    others: list[Source], sample: SampleParameters, seeds: int, folder: Path
) -> None:
    """Print both tables."""
    print("\n| static data | catalogues | with a row in `trending` | with twice the usual, "
          f"{FEWEST} or more | rows a catalogue |\n|---|---|---|---|---|")  # fmt: skip
    alarms("sample --recency 0", _static_samples(sample, seeds, folder), folder)
    read = {one.name: FirstListens.of(one.dataset, folder / "lake") for one in others}
    for name, listens in read.items():
        static = (listens.shuffled(seed) for seed in range(seeds))
        alarms(f"{name}, times of another listener", static, folder)
    print(f"\n| top {LISTED} at {CUTS} cuts, the next window | rows | above their usual level "
          "| median of next / usual |\n|---|---|---|---|")  # fmt: skip
    made = generate_sample(folder / "rising", sample)
    assert made.dataset_path is not None
    for name, listens in {
        "sample --recency 1": FirstListens.of(made.dataset_path, folder / "lake"), **read
    }.items():  # fmt: skip
        next_window(name, listens, folder)


def _static_samples(sample: SampleParameters, seeds: int, folder: Path) -> Iterator[FirstListens]:
    for seed in range(seeds):
        parameters = sample.model_copy(update={"recency": 0.0, "seed": seed})
        made = generate_sample(folder / f"static {seed}", parameters)
        assert made.dataset_path is not None
        yield FirstListens.of(made.dataset_path, folder / "lake")


def _cuts(listens: FirstListens) -> list[int]:
    """Days at which the data may end, over its second half."""
    first, last = np.quantile(listens.day, [0.001, 0.999]).astype(int)
    return [int(day) for day in np.linspace((first + last) // 2, last + 1, CUTS)]


def alarms(name: str, static: Iterator[FirstListens], folder: Path) -> None:
    """Print how many static catalogues have rows."""
    ours, plain, rows = [], [], []
    for listens in static:
        for end in _cuts(listens):
            found = listens.trending(end, folder)
            days = found["days"][0].as_py() if found.num_rows else 28
            recent, usual = listens.between(end - days, end), listens.usual(end, days)
            ours.append(found.num_rows > 0)
            rows.append(found.num_rows)
            plain.append(bool(np.any((recent >= FEWEST) & (recent >= TWICE * usual))))
    print(f"| {name} | {len(ours)} | {np.mean(ours):.1%} | {np.mean(plain):.1%} "
          f"| {np.mean(rows):.2f} |", flush=True)  # fmt: skip


def next_window(name: str, listens: FirstListens, folder: Path) -> None:
    """Print what the tracks of three lists do in the window after the cut, against their usual."""
    above: dict[str, list[float]] = {"trending": [], "largest ratio": [], "most new listeners": []}
    ratio: dict[str, list[float]] = {one: [] for one in above}
    for end in _cuts(listens)[:-1]:
        found = listens.trending(end, folder)
        if not found.num_rows:
            continue
        days = int(found["days"][0].as_py())
        usual = listens.usual(end, days)
        recent, later = listens.between(end - days, end), listens.between(end, end + days)
        scale = later.sum() / max(int(recent.sum()), 1)
        by_ratio = np.argsort(-(recent / (usual + 0.5)), kind="stable")
        by_listeners = np.argsort(-recent, kind="stable")
        length = min(LISTED, found.num_rows)
        for one, tracks in (
            ("trending", found["track_key"].to_numpy()),
            ("largest ratio", by_ratio),
            ("most new listeners", by_listeners),
        ):
            top = tracks[:length]
            expected = usual[top] * scale
            above[one] += (later[top] > expected).astype(float).tolist()
            ratio[one] += ((later[top] + 0.5) / (expected + 0.5)).tolist()
    for one, values in above.items():
        said = "no row at any cut | |"
        if values:
            counts = resample_counts(len(values), RESAMPLES, 0)
            low, high = interval(resampled_means(counts, np.array([values]).T), 0.95)
            mean = float(np.mean(values))
            said = f"{mean:.0%} ({low[0]:.0%} to {high[0]:.0%}) | {np.median(ratio[one]):.1f} |"
        print(f"| {name}: {one} | {len(values)} | {said}", flush=True)
