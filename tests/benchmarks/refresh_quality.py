"""What a refresh loses against a full run, by days since the models learned.

    python -m tests.benchmarks.refresh_quality [--days 1 7 30] [--samples N] [--scale F]

The data: `crossfade sample --recency 1` with several seeds, cut a week before its last play. What
was played in that week, and not before it by the same listener, should be in the lists of the
cut. Those come from a full run on all plays before the cut; from a refresh, whose base learned
some days earlier, from the plays and the catalogue of that day; and from that base alone, as if
nothing had been published since. All by the command line, with its defaults. A catalogue has the
tracks that are out on its day.

Prints Markdown: NDCG@20 of the lists, and the others as a share of the full run's, over the same
listeners of all samples, with the 95 % interval over them; for all listeners, for those whose
history has not changed since the base learned, and for those whom the base does not know.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np

from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.sample import SampleParameters, generate_sample
from tests.benchmarks.music_times import ndcg
from tests.benchmarks.whole import measured
from tests.conftest import BIN, running_prefect_server
from warehouse.releases.home import Home
from warehouse.statements import text_literal

K = 20
WEEK = 7
RESAMPLES = 2_000
FEWEST = 30
"""Listeners of which a share is printed."""
FULL, REFRESHED, STALE = "full run", "refresh", "base alone"
ALL, QUIET, UNKNOWN = "all", "history unchanged since", "new since"


@dataclass(frozen=True)
class Data:
    """A sample as two tables, whose files of any day can be written."""

    connection: duckdb.DuckDBPyConnection
    dataset: str
    """The text of its TOML."""
    cut: date

    @classmethod
    def drawn(cls, folder: Path, parameters: SampleParameters) -> "Data":
        """Draw a sample."""
        made = generate_sample(folder, parameters)
        assert made.dataset_path is not None
        connection = duckdb.connect()
        for name, path in (("tracks", made.tracks_path), ("plays", made.plays_path)):
            connection.execute(
                f"CREATE TABLE {name} AS FROM "
                f"read_csv({text_literal(str(path))}, all_varchar = true)"
            )
        last = connection.execute("SELECT max(played_at)::DATE FROM plays").fetchall()[0][0]
        text = made.dataset_path.read_text().replace(made.plays_path.name, "plays")
        return cls(connection, text, last - timedelta(WEEK))

    def write(self, folder: Path, first: date | None, end: date) -> Path:
        """Add the plays from ``first`` until ``end`` to a folder, and the catalogue of ``end``."""
        (folder / "plays").mkdir(parents=True, exist_ok=True)
        since = f"played_at >= '{first}' AND" if first else ""
        for rows, where, file in (
            ("tracks", f"released IS NULL OR released < '{end}'", "Music Info.csv"),
            ("plays", f"{since} played_at < '{end}'", f"plays/until {end}.csv"),
        ):
            self.connection.execute(
                f"COPY (FROM {rows} WHERE {where}) TO {text_literal(str(folder / file))}"
            )
        dataset = folder / "dataset.toml"
        dataset.write_text(self.dataset)
        return dataset

    def targets(self) -> dict[str, set[str]]:
        """Return what each listener of before the cut plays for the first time after it."""
        rows = self.connection.execute(
            f"""
            SELECT user_id, list(track_id) FROM (
                SELECT user_id, track_id FROM plays GROUP BY ALL
                HAVING min(played_at) >= '{self.cut}'
            ) WHERE user_id IN (SELECT user_id FROM plays WHERE played_at < '{self.cut}')
            GROUP BY user_id ORDER BY user_id
            """
        ).fetchall()
        return {user: set(tracks) for user, tracks in rows}

    def groups(self, learned: date) -> dict[str, set[str]]:
        """Return who has played nothing since a day, and whose first play is not before it."""
        since = f"played_at >= '{learned}' AND played_at < '{self.cut}'"
        before = f"SELECT user_id FROM plays WHERE played_at < '{learned}'"
        active = f"SELECT user_id FROM plays WHERE {since}"
        queries = {
            QUIET: f"{before} EXCEPT {active}",
            UNKNOWN: f"{active} EXCEPT {before}",
        }
        return {
            name: {user for (user,) in self.connection.execute(query).fetchall()}
            for name, query in queries.items()
        }


@dataclass
class Pairs:
    """NDCG@K of three lists for the same listeners."""

    values: dict[str, list[float]] = field(
        default_factory=lambda: {name: [] for name in (FULL, REFRESHED, STALE)}
    )

    def line(self, title: str) -> str:
        """Return one row of the table."""
        table = np.array(list(self.values.values())).T
        if len(table) < FEWEST:
            return f"| {title} | {len(table)} | | | |"
        means = resampled_means(resample_counts(len(table), RESAMPLES, 0), table)
        low, high = interval(means[:, 1:] / means[:, :1], 0.95)
        share = table[:, 1:].mean(axis=0) / table[:, 0].mean()
        said = (f"{share[x]:.3f} ({low[x]:.3f} to {high[x]:.3f})" for x in range(2))
        return f"| {title} | {len(table):,} | {table[:, 0].mean():.4f} | {' | '.join(said)} |"


def published(
    command: str, home: Path, dataset: Path, environment: Mapping[str, str]
) -> dict[str, list[str]]:
    """Run a command that publishes; return the list of every listener."""
    asked: list[str | Path] = [BIN / "crossfade", command, "--home", home, "--dataset", dataset]
    measured(asked, environment, home.with_suffix(".log"))
    with duckdb.connect(str(Home(home).current.resolve()), read_only=True) as connection:
        rows = connection.execute(
            "SELECT user_id, list(track_id ORDER BY rank) FROM user_recommendations "
            f"WHERE rank <= {K} GROUP BY user_id"
        ).fetchall()
        popular = connection.execute(
            f"SELECT list(track_id ORDER BY rank) FROM recommend_user('', k := {K})"
        ).fetchall()[0][0]
    return {"": popular} | dict(rows)


def compare(
    folder: Path, data: Data, days: Sequence[int], environment: Mapping[str, str],
    found: dict[tuple[int, str], Pairs],
) -> None:  # fmt: skip
    """Add what the lists of one sample are worth."""
    targets = data.targets()
    full = published(
        "run", folder / "full home", data.write(folder / "full", None, data.cut), environment
    )
    for lag in days:
        learned, inputs = data.cut - timedelta(lag), folder / f"{lag}"
        home = folder / f"{lag} home"
        stale = published("run", home, data.write(inputs, None, learned), environment)
        dataset = data.write(inputs, learned, data.cut)
        refreshed = published("refresh", home, dataset, environment)
        groups = {ALL: set(targets)} | data.groups(learned)
        for user, wanted in targets.items():
            for lists, name in ((full, FULL), (refreshed, REFRESHED), (stale, STALE)):
                value = ndcg(lists.get(user, lists[""]), wanted, K)
                for group, members in groups.items():
                    if user in members:
                        pairs = found.setdefault((lag, group), Pairs())
                        pairs.values[name].append(value)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, nargs="+", default=[1, 7, 30])
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--scale", type=float, default=5.0, help="listeners of the sample")
    given = parser.parse_args()
    found: dict[tuple[int, str], Pairs] = {}
    with (
        tempfile.TemporaryDirectory(prefix="crossfade-") as scratch,
        running_prefect_server(Path(scratch) / "prefect") as server,
    ):
        for seed in range(given.samples):
            folder = Path(scratch) / f"{seed}"
            drawn = SampleParameters(scale=given.scale, recency=1, seed=seed)
            compare(folder, Data.drawn(folder / "sample", drawn), given.days, server, found)
    print(f"| days since learning, listeners | number | NDCG@{K} of a {FULL} | {REFRESHED} "
          f"as a share | {STALE} |\n|---|---|---|---|---|")  # fmt: skip
    for lag in given.days:
        for group in (ALL, QUIET, UNKNOWN):
            print(found.get((lag, group), Pairs()).line(f"{lag}, {group}"))


if __name__ == "__main__":
    main()
