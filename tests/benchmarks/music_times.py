"""The lists that rest on times, each beside its baseline: `python -m tests.benchmarks.music_times`.

    python -m tests.benchmarks.music_times [--movielens FOLDER] [--scale F] [--seeds N]

The data: `crossfade sample --recency 1`, and with `--movielens` the folder of ml-latest-small,
ratings from 3.5. The last eight weeks of the sample are cut off, and the last year of MovieLens,
whose people come once and rarely again; a release is made of the rest, and its macros are asked
what will be played. Each table is paired: both lists answer for the same
listeners and targets, and the interval (95 %) of the difference comes from the same resamples of
listeners. It prints Markdown:

1. `on_repeat` beside most played and last played: of the tracks played twice or more in the
   listener's last 28 days, or in all of them, which will be played again?
2. `rediscover` beside the same old favourites in random order, with `days := 28`: the sample's
   repeats are 10 days apart on average, and none is after 90.
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
from tests.benchmarks.trending import Source, print_trending
from tests.conftest import CommandLine
from warehouse.releases.home import Home

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


def cut_release(source: Source, folder: Path) -> Cut:
    """Make a release of the plays before the cut, in the folder."""
    dataset, plays = source.dataset, source.plays
    whole = ingest_stage(folder / "whole", DatasetSpec.from_toml(dataset))
    listens = whole["interactions"].read().to_pandas()
    cut = (int(listens["last_at"].max()) // DAY - source.cut_days) * DAY
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (FROM read_csv('{dataset.parent / plays}', all_varchar = true) "
            f"WHERE ({source.moment})::BIGINT < {cut}) TO '{folder / plays}'"
        )
    for other in dataset.parent.glob("*.csv"):
        if other.name != plays:
            (folder / other.name).symlink_to(other)
    (folder / "dataset.toml").write_bytes(dataset.read_bytes())
    done = CommandLine(folder)(
        "run", "--dataset", "dataset.toml", "--home", "home", "--model", "learned"
    )
    if done.returncode:
        raise SystemExit(f"crossfade run failed:\n{done.stderr[-2000:]}")
    users = whole["users"].read()["user_id"].to_pylist()
    tracks = whole["tracks"].read(["track_id", "played_key"]).to_pandas().dropna()
    track_ids = dict(zip(tracks["played_key"].astype(int), tracks["track_id"], strict=True))
    later: dict[str, set[str]] = {}
    for row in listens[listens["last_at"] >= cut].itertuples():
        later.setdefault(users[row.user_key], set()).add(track_ids[row.played_key])
    release = duckdb.connect(str(Home(folder / "home").current), read_only=True)
    return Cut(source, release, later)


def ndcg(ranked: Sequence[str], targets: set[str]) -> float:
    """Return NDCG@K of one list."""
    discount = 1 / np.log2(np.arange(2, K + 2))
    gained = sum(discount[r] for r, track in enumerate(ranked[:K]) if track in targets)
    return float(gained / discount[: min(K, len(targets))].sum())


def random_ndcg(eligible: Sequence[str], targets: set[str], seed: int) -> float:
    """Return the mean NDCG@K of random orders."""
    rng = np.random.default_rng(seed)
    drawn = [[eligible[x] for x in rng.permutation(len(eligible))] for _ in range(DRAWS)]
    return float(np.mean([ndcg(one, targets) for one in drawn]))


def print_paired(cut: Cut, ours: str, values: dict[str, list[float]]) -> None:
    """Print the means of several lists over the same listeners, and the differences to ours."""
    names = list(values)
    table = np.array([values[name] for name in names]).T
    print(f"\n| {cut.source.name}: NDCG@{K} | value | {ours} − it | listeners |\n|---|---|---|---|")
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


HISTORY = """
SELECT t.id FROM (
    SELECT
        unnest(l.history) AS track, unnest(l.history_plays) AS plays,
        unnest(l.last_days) AS ago, l.plays / l.tracks_played AS average
    FROM store.listeners l WHERE l.id = ?
) h JOIN store.tracks t ON t.track_key = h.track
WHERE h.plays > 1 AND {kept} ORDER BY {order}, t.id
"""


def on_repeat(cut: Cut, days: int) -> None:
    """Print table 1 for the last ``days`` days of each listener."""
    ours = f"on_repeat, {days:,} days"
    values: dict[str, list[float]] = {ours: [], "most played": [], "last played": []}
    ask = cut.asked(f"on_repeat(?, k := {K}, days := {days})")
    eligible = HISTORY.format(kept=f"h.ago < {days}", order="{}")
    for user_id, later in cut.later.items():
        most, last = (
            [row[0] for row in cut.release.execute(eligible.format(order), [user_id]).fetchall()]
            for order in ("h.plays DESC", "h.ago")
        )
        if targets := later & set(most):
            for name, ranked in (
                (ours, ask(user_id)),
                ("most played", most),
                ("last played", last),
            ):
                values[name].append(ndcg(ranked, targets))
    print_paired(cut, ours, values)


def rediscover(cut: Cut) -> None:
    """Print table 2."""
    values: dict[str, list[float]] = {"rediscover": [], "random old favourites": []}
    ask = cut.asked("rediscover(?, k := 10000, days := 28)")
    for user_id, later in cut.later.items():
        ranked = ask(user_id)
        targets = later & set(ranked)
        if targets and len(ranked) > 1:
            values["rediscover"].append(ndcg(ranked, targets))
            values["random old favourites"].append(
                random_ndcg(sorted(ranked), targets, len(values["rediscover"]))
            )
    print_paired(cut, "rediscover", values)


def new_for_user(cut: Cut) -> None:
    """Print table 3."""
    values: dict[str, list[float]] = {"new_for_user": [], "most listeners": [], "random": []}
    found = cut.release.execute(
        "SELECT n.id FROM store.new_tracks n JOIN store.tracks t ON t.id = n.id "
        "WHERE n.age < ? ORDER BY t.listener_rank",
        [cut.source.new_days],
    ).fetchall()
    popular = [row[0] for row in found]
    ask = cut.asked(f"new_for_user(?, k := {K}, days := {cut.source.new_days})")
    known = {row[0] for row in cut.release.execute("SELECT user_id FROM users").fetchall()}
    for user_id, later in cut.later.items():
        if user_id not in known:
            continue
        heard = {
            row[0]
            for row in cut.release.execute(
                "SELECT track_id FROM listens WHERE user_id = ?", [user_id]
            ).fetchall()
        }
        fresh = [track for track in popular if track not in heard]
        if targets := later & set(fresh):
            values["new_for_user"].append(ndcg(ask(user_id), targets))
            values["most listeners"].append(ndcg(fresh, targets))
            values["random"].append(random_ndcg(fresh, targets, len(values["random"])))
    print_paired(cut, "new_for_user", values)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--movielens", type=Path, metavar="FOLDER")
    parser.add_argument("--scale", type=float, default=5.0, help="listeners of the sample")
    parser.add_argument("--seeds", type=int, default=20, help="static catalogues to try")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sample = SampleParameters(scale=given.scale, recency=1)
        made = generate_sample(folder / "sample", sample)
        assert made.dataset_path is not None
        data = [Source("sample", made.dataset_path, "User Listening History.csv",
                       "epoch(played_at::TIMESTAMPTZ)", 56, 28)]  # fmt: skip
        if given.movielens:
            linked = folder / "movielens"
            linked.mkdir()
            for name in ("movies.csv", "ratings.csv"):
                (linked / name).symlink_to(given.movielens.resolve() / name)
            (linked / "dataset.toml").write_text(MOVIELENS)
            toml = linked / "dataset.toml"
            data.append(Source("ml-latest-small", toml, "ratings.csv", '"timestamp"', 365, 365))
        for source in data:
            (folder / f"cut {source.name}").mkdir()
            cut = cut_release(source, folder / f"cut {source.name}")
            for days in (28, ALL_DAYS):
                on_repeat(cut, days)
            rediscover(cut)
            new_for_user(cut)
        print_trending(data[1:], sample.model_copy(update={"scale": 1.0}), given.seeds, folder)


if __name__ == "__main__":
    main()
