"""Cold tracks on real data: `python -m tests.benchmarks.cold_tracks hetrec|ml-1m [--draws N]`.

Ten draws hide 10 % of the played tracks each; every model meets the same draws and listeners. The
tables are the ones a release would hold, made without the hidden plays. Ratios are ours over the
row's model, with paired bootstrap intervals.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy import sparse

from tasks.backtest.baselines import OURS, Baselines, OurContent
from tasks.backtest.cold import ColdParameters, cold_draws, cold_table, measure_cold
from tasks.content.parameters import ContentParameters
from tasks.dataset.spec import DatasetSpec, PlaysSpec, TagsSpec, TracksSpec
from tasks.ingest.stage import ingest_stage

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"  # beside the repository


def spec_of(name: str, data: Path) -> DatasetSpec:
    """Describe one of the two data sets."""
    if name == "hetrec":
        folder = data / name
        return DatasetSpec.kaggle(folder / "Music Info.csv", folder / "User Listening History.csv")
    return DatasetSpec(
        name=name,
        tracks=TracksSpec(
            path=(str(data / name / "movies.csv"),),
            id="movie_id",
            title="title",
            tags=TagsSpec(column="genres", separator="|"),
            numeric=("year",),
        ),
        plays=PlaysSpec(path=(str(data / name / "views.csv"),), user="viewer_id", track="movie_id"),
    )


def read(spec: DatasetSpec, least: int) -> tuple[pa.Table, sparse.csr_array]:
    """Ingest; keep the tracks with at least ``least`` listeners, and who played them."""
    with tempfile.TemporaryDirectory() as folder:
        result = ingest_stage(Path(folder), spec)
        tracks, plays = result["tracks"].read(), result["interactions"].read()
    kept = tracks["listeners"].to_numpy() >= least
    column = np.full(len(kept), -1)
    column[kept] = np.arange(kept.sum())
    track_of = np.flatnonzero(tracks["played_key"].is_valid().to_numpy())
    users, items = plays["user_key"].to_numpy(), column[track_of[plays["played_key"].to_numpy()]]
    users, items = users[items >= 0], items[items >= 0]
    shape = (int(users.max()) + 1, int(kept.sum()))
    return tracks.filter(pa.array(kept)), sparse.csr_array(
        (np.ones(len(users)), (users, items)), shape=shape
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["hetrec", "ml-1m"])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--least", type=int, help="listeners a track must have (hetrec 3, ml-1m 1)")
    parser.add_argument("--set", nargs="*", default=[], help="content parameters, name=value")
    options = parser.parse_args()
    spec = spec_of(options.name, options.data)
    tracks, plays = read(spec, options.least or {"hetrec": 3, "ml-1m": 1}[options.name])
    numeric, categorical = spec.tracks.numeric, spec.tracks.categorical
    listeners = {"hetrec": 200, "ml-1m": 600}[options.name]
    parameters = ColdParameters(draws=options.draws, listeners=listeners, seed=options.seed)
    chosen = ContentParameters.model_validate(dict(one.split("=") for one in options.set))
    models = Baselines.of(tracks, numeric, categorical).models()
    models |= OurContent(tracks, numeric, categorical, chosen).models()
    values = measure_cold(cold_draws(plays, parameters), models, parameters)
    print(f"{options.name}: {tracks.num_rows:,} tracks, {plays.shape[0]:,} listeners")
    print(f"{'model':32} {'metric':10} {'value':>6}  {'95 %':>13}  {'ours / it':>9}  {'95 %':>13}")
    for row in cold_table(values, OURS, parameters).to_pylist():
        print(
            f"{row['model']:32} {row['metric']}@{row['k']:<5}{row['value']:6.3f}  "
            f"{row['ci_low']:6.3f}–{row['ci_high']:.3f}  {row['ratio']:9.3f}  "
            f"{row['ratio_low']:6.3f}–{row['ratio_high']:.3f}"
        )


if __name__ == "__main__":
    main()
