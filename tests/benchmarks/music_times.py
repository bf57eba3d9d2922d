"""The lists that rest on times, each beside its baseline: `python -m tests.benchmarks.music_times`.

    python -m tests.benchmarks.music_times [--movielens FOLDER] [--scale F] [--seeds N]
        [--samples N] [--years N]

The data: `crossfade sample --recency 1` with several seeds, and with `--movielens` the folder of
ml-latest-small, ratings from 3.5, with several cuts. The last eight weeks of a sample are cut off,
and the years after a cut of MovieLens, whose people come once and rarely again; a release is made
of what was before, with the default parameters and without Prefect (quick_release.py), and its
macros are asked what will be played next, in eight weeks or a year. The listeners of all cuts are
in one table. Each table is paired: both lists answer for the same
listeners and targets, and the interval (95 %) of the difference comes from the same resamples of
listeners. It prints Markdown:

1. `on_repeat` beside most played and last played: of the tracks played twice or more in the
   listener's last 28 days, or in all of them, which will be played again?
2. `rediscover` beside the same old favourites in random order and most played first, with
   `days := 28` and 14: the sample's repeats are 10 days apart on average, and none is after 90.
3. `new_for_user` beside the new tracks with most listeners, and in random order.
4. `trending`: how many catalogues in which nothing rises have a row, beside the plain ratio of new
   listeners to the usual level. Static are samples with `--recency 0`, cut at many days, and the
   ratings of MovieLens with each listener's times moved to those of another listener.
5. `trending` beside the largest plain ratio and most new listeners: which tracks win more than
   their usual number of listeners in the next window too?
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from tasks.dataset.spec import DatasetSpec
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.ingest.stage import ingest_stage
from tasks.sample import SampleParameters, generate_sample
from tests.benchmarks.quick_release import quick_release
from tests.benchmarks.trending import Source, print_trending

DAY = 86_400
K = 10
ALL_DAYS = 10_000
RESAMPLES = 2_000
DRAWS = 20
"""Random orders of which the mean is taken."""

MOVIELENS = """
name = "ml-latest-small"
[tracks]
path = "movies.csv"
id = "movieId"
title = "title"
tags = { column = "genres", separator = "|" }
[plays]
path = "ratings.csv"
user = "userId"
track = "movieId"
at = { column = "timestamp", unit = "s" }
where = "rating >= 3.5"
"""


@dataclass(frozen=True)
class Cut:
    """A data set before the cut, its release, and what was played afterwards."""

    source: Source
    release: duckdb.DuckDBPyConnection
    later: dict[str, set[str]]
    """Tracks by listener."""

    def asked(self, macro: str) -> Callable[[str], list[str]]:
        """Return a function from a listener to the macro's list."""
        query = f"SELECT track_id FROM {macro} ORDER BY rank"

        def ask(user_id: str) -> list[str]:
            return [str(row[0]) for row in self.release.execute(query, [user_id]).fetchall()]

        return ask

    def histories(self) -> "dict[str, list[Played]]":
        """Return what those who play something after the cut had played before it."""
        found = self.release.execute(
            """
            SELECT h.id, t.id, h.plays, h.ago, h.average FROM (
                SELECT
                    l.id, unnest(l.history) AS track, unnest(l.history_plays) AS plays,
                    unnest(l.last_days) AS ago, l.plays / l.tracks_played AS average
                FROM store.listeners l WHERE l.id IN (SELECT unnest(?))
            ) h JOIN store.tracks t ON t.track_key = h.track
            WHERE h.ago IS NOT NULL ORDER BY h.id, t.id
            """,
            [list(self.later)],
        ).fetchall()
        histories: dict[str, list[Played]] = {}
        for user_id, *played in found:
            histories.setdefault(user_id, []).append(Played(*played))
        return histories


@dataclass(frozen=True)
class Played:
    """A track of a history before the cut."""

    track_id: str
    plays: int
    ago: int
    """Days from its last play to the listener's newest play."""
    average: float
    """Plays of the listener's average track."""


def most_played(played: "Sequence[Played]") -> list[str]:
    """Return the tracks, the most played first."""
    ordered = sorted(played, key=lambda one: (-one.plays, one.track_id))
    return [one.track_id for one in ordered]


def cut_release(source: Source, folder: Path, back: int = 1) -> Cut:
    """Make a release of the plays before the cut, ``back`` windows before the end of the data."""
    dataset, plays = source.dataset, source.plays
    whole = ingest_stage(folder / "whole", DatasetSpec.from_toml(dataset))
    listens = whole["interactions"].read().to_pandas()
    cut = (int(listens["last_at"].max()) // DAY - back * source.cut_days) * DAY
    end = cut + source.cut_days * DAY if back > 1 else np.inf
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (FROM read_csv('{dataset.parent / plays}', all_varchar = true) "
            f"WHERE ({source.moment})::BIGINT < {cut}) TO '{folder / plays}'"
        )
    for other in dataset.parent.glob("*.csv"):
        if other.name != plays:
            (folder / other.name).symlink_to(other)
    (folder / "dataset.toml").write_bytes(dataset.read_bytes())
    release = quick_release(DatasetSpec.from_toml(folder / "dataset.toml"), folder)
    users = whole["users"].read()["user_id"].to_pylist()
    tracks = whole["tracks"].read(["track_id", "played_key"]).to_pandas().dropna()
    track_ids = dict(zip(tracks["played_key"].astype(int), tracks["track_id"], strict=True))
    later: dict[str, set[str]] = {}
    played_later = (listens["last_at"] >= cut) & (listens["first_at"] < end)
    for row in listens[played_later].itertuples():
        later.setdefault(users[row.user_key], set()).add(track_ids[row.played_key])
    return Cut(source, duckdb.connect(str(release), read_only=True), later)


def ndcg(ranked: Sequence[str], targets: set[str], k: int = K) -> float:
    """Return NDCG@k of one list."""
    discount = 1 / np.log2(np.arange(2, k + 2))
    gained = sum(discount[r] for r, track in enumerate(ranked[:k]) if track in targets)
    return float(gained / discount[: min(k, len(targets))].sum())


def random_ndcg(eligible: Sequence[str], targets: set[str], seed: int) -> float:
    """Return the mean NDCG@K of random orders."""
    rng = np.random.default_rng(seed)
    drawn = [[eligible[x] for x in rng.permutation(len(eligible))] for _ in range(DRAWS)]
    return float(np.mean([ndcg(one, targets) for one in drawn]))


def print_paired(source: str, ours: str, values: dict[str, list[float]]) -> None:
    """Print the means of several lists over the same listeners, and the differences to ours."""
    names = list(values)
    table = np.array([values[name] for name in names]).T
    print(f"\n| {source}: NDCG@{K} | value | {ours} − it | listeners |\n|---|---|---|---|")
    if not len(table):
        print(f"| {ours} | no listener has a target | | 0 |")
        return
    means = resampled_means(resample_counts(len(table), RESAMPLES, 0), table)
    for x, name in enumerate(names):
        said = ""
        if name != ours:
            differences = means[:, [names.index(ours)]] - means[:, [x]]
            low, high = interval(differences, 0.95)
            mean = float(np.mean(table[:, names.index(ours)] - table[:, x]))
            said = f"{mean:+.4f} ({low[0]:+.4f} to {high[0]:+.4f})"
        print(f"| {name} | {table[:, x].mean():.4f} | {said} | {len(table):,} |", flush=True)


Values = dict[str, list[float]]
"""NDCG of each list, by its name, a value for each listener."""


def on_repeat(cut: Cut, days: int) -> Values:
    """Return table 1 of one cut for the last ``days`` days of each listener."""
    values: Values = {"on_repeat": [], "most played": [], "last played": []}
    ask = cut.asked(f"on_repeat(?, k := {K}, days := {days})")
    for user_id, history in cut.histories().items():
        played = [one for one in history if one.plays > 1 and one.ago < days]
        if targets := cut.later[user_id] & {one.track_id for one in played}:
            last = sorted(played, key=lambda one: (one.ago, one.track_id))
            values["on_repeat"].append(ndcg(ask(user_id), targets))
            values["most played"].append(ndcg(most_played(played), targets))
            values["last played"].append(ndcg([one.track_id for one in last], targets))
    return values


def rediscover(cut: Cut, days: int) -> Values:
    """Return table 2 of one cut."""
    values: Values = {"rediscover": [], "random old favourites": [], "most played": []}
    ask = cut.asked(f"rediscover(?, k := 10000, days := {days})")
    for user_id, history in cut.histories().items():
        old = [one for one in history if one.plays > one.average and one.ago >= days]
        targets = cut.later[user_id] & {one.track_id for one in old}
        if targets and len(old) > 1:
            ranked = ask(user_id)
            if set(ranked) != {one.track_id for one in old}:
                raise ValueError(f"rediscover has other tracks than its definition: {user_id}")
            values["rediscover"].append(ndcg(ranked, targets))
            values["most played"].append(ndcg(most_played(old), targets))
            values["random old favourites"].append(
                random_ndcg(sorted(ranked), targets, len(values["rediscover"]))
            )
    return values


def new_for_user(cut: Cut) -> Values:
    """Return table 3 of one cut."""
    values: Values = {"new_for_user": [], "most listeners": [], "user_candidates": [], "random": []}
    days = cut.source.new_days
    found = cut.release.execute(
        "SELECT n.id FROM store.new_tracks n JOIN store.tracks t ON t.id = n.id "
        "WHERE n.age < ? ORDER BY t.listener_rank",
        [days],
    ).fetchall()
    popular = [row[0] for row in found]
    new = set(popular)
    ask = cut.asked(f"new_for_user(?, k := {K}, days := {days})")
    as_listed = (
        "SELECT c.track_id FROM user_candidates(?) c JOIN store.new_tracks n ON n.id = c.track_id "
        f"WHERE n.age < {days} ORDER BY c.rank LIMIT {K}"
    )
    known = {row[0] for row in cut.release.execute("SELECT user_id FROM users").fetchall()}
    for user_id, later in cut.later.items():
        if user_id not in known or not later & new:
            continue
        heard = {
            row[0]
            for row in cut.release.execute(
                "SELECT track_id FROM listens WHERE user_id = ?", [user_id]
            ).fetchall()
        }
        fresh = [track for track in popular if track not in heard]
        if targets := later & set(fresh):
            listed = [str(row[0]) for row in cut.release.execute(as_listed, [user_id]).fetchall()]
            values["new_for_user"].append(ndcg(ask(user_id), targets))
            values["most listeners"].append(ndcg(fresh, targets))
            values["user_candidates"].append(ndcg(listed, targets))
            values["random"].append(random_ndcg(fresh, targets, len(values["random"])))
    return values


def print_pooled(cuts: Sequence[Cut], title: str, part: Callable[[Cut], Values]) -> None:
    """Print a table over the listeners of all cuts of a data set."""
    values: Values = {}
    for cut in cuts:
        for name, found in part(cut).items():
            values.setdefault(name, []).extend(found)
    print_paired(f"{cuts[0].source.name}, {title}", next(iter(values)), values)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--movielens", type=Path, metavar="FOLDER")
    parser.add_argument("--scale", type=float, default=5.0, help="listeners of the sample")
    parser.add_argument("--seeds", type=int, default=20, help="static catalogues to try")
    parser.add_argument("--samples", type=int, default=6, help="seeds of the sample")
    parser.add_argument("--years", type=int, default=6, help="cuts of MovieLens, a year apart")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sample = SampleParameters(scale=given.scale, recency=1)
        cuts: dict[str, list[Cut]] = {"sample": []}
        for seed in range(given.samples):
            drawn = sample.model_copy(update={"seed": seed})
            made = generate_sample(folder / f"sample {seed}", drawn)
            assert made.dataset_path is not None
            source = Source("sample", made.dataset_path, "User Listening History.csv",
                            "epoch(played_at::TIMESTAMPTZ)", 56, 28)  # fmt: skip
            (folder / f"cut {seed}").mkdir()
            cuts["sample"].append(cut_release(source, folder / f"cut {seed}"))
        data = []
        if given.movielens:
            linked = folder / "movielens"
            linked.mkdir()
            for name in ("movies.csv", "ratings.csv"):
                (linked / name).symlink_to(given.movielens.resolve() / name)
            (linked / "dataset.toml").write_text(MOVIELENS)
            toml = linked / "dataset.toml"
            data.append(Source("ml-latest-small", toml, "ratings.csv", '"timestamp"', 365, 365))
            for back in range(1, given.years + 1):
                before = folder / f"movielens {back}"
                before.mkdir()
                cuts.setdefault("movielens", []).append(cut_release(data[0], before, back))
        for of_source in cuts.values():
            for days in (28, ALL_DAYS):
                title = f"on_repeat of {days:,} days"
                print_pooled(of_source, title, lambda cut, days=days: on_repeat(cut, days))  # type: ignore[misc]
            for days in (28, 14):
                title = f"rediscover after {days} days"
                print_pooled(of_source, title, lambda cut, days=days: rediscover(cut, days))  # type: ignore[misc]
            print_pooled(of_source, "new_for_user", new_for_user)
        print_trending(data[1:], sample.model_copy(update={"scale": 1.0}), given.seeds, folder)


if __name__ == "__main__":
    main()
