"""Evaluation on Dask: who is held out, what weights suit them, and how good the lists are."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from distributed import Client
from numpy.typing import NDArray

import tasks.evaluation
import tasks.hybrid
from tasks.blocks import Block, Progress, balanced_blocks, run_blocks
from tasks.evaluation.bootstrap import resample_counts
from tasks.evaluation.cases import gamma_cases, report_cases, some_of, tuning_cases
from tasks.evaluation.choice import (
    Choice,
    choose_gamma,
    choose_points,
    grid,
    learned_segments,
)
from tasks.evaluation.holdout import Split, held_out_listeners, id_hashes, mixed
from tasks.evaluation.measure import (
    Tags,
    World,
    gamma_values,
    grid_values,
    hidden_world,
    report_values,
)
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.report import (
    curve_table,
    evaluation_table,
    listeners_table,
    segments_table,
)
from tasks.hybrid.model import Catalogue, HybridModel, Neighbours, track_edges, track_of_played
from tasks.hybrid.parameters import HybridParameters, Segment
from tasks.lake import Dataset, Stage, StageResult, source_digest, write_parquet
from tasks.schemas import HELD_OUT

BLOCKS = 8
"""Blocks of each of the three rounds: fixed, so that a killed run finds its parts again."""

CASE_COST = 50.0
"""What a case costs beside its folded-in tracks, in tracks."""

_SPLIT = pa.schema(
    [
        pa.field("user_key", pa.int32(), nullable=False),
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("hash", pa.uint64(), nullable=False),
        pa.field("tracks", pa.list_(pa.int32()), nullable=False),  # in drawing order
        pa.field("targets", pa.int64(), nullable=False),  # how many of them are to be found
    ]
)


def holdout_stage(lake: Path, users: Dataset, parameters: EvaluationParameters) -> Dataset | None:
    """Choose the listeners that the published model must not see.

    Returns one column, user_key (int32, ascending), or None where nobody is held out: the share
    is 0, or nobody has two tracks.
    """
    if parameters.holdout == 0:
        return None
    stage = Stage(
        lake,
        "holdout",
        users=users.digest,
        parameters=parameters.held_out_by(),
        code=source_digest(tasks.evaluation),
    )
    if not (result := stage.finished()):
        began = time.perf_counter()
        chosen = held_out_listeners(
            users.read(["user_key", "user_id", "tracks_played"]), parameters
        )
        file = stage.folder / "held_out.parquet"
        write_parquet(pa.table([pa.array(chosen, pa.int32())], schema=HELD_OUT), file)
        result = stage.finish(time.perf_counter() - began, {"held_out": len(chosen)}, held_out=file)
    return result["held_out"] if result["held_out"].rows else None


def evaluation_stage(
    lake: Path,
    client: Client,
    ingested: StageResult,
    held_out: Dataset,
    collaborative: StageResult,
    content: StageResult,
    hybrid: HybridParameters,
    parameters: EvaluationParameters,
    progress: Progress | None = None,
) -> StageResult:
    """Learn the blend's weights on the held-out listeners and measure every model on them.

    Datasets: ``evaluation``, ``segment_curve``, ``segments``, ``listeners`` (see
    tasks.evaluation.report), and ``values``, what they were made of: one row per case and model.
    ``collaborative`` and ``content`` must not have seen the held-out listeners. Counts hold the
    learned ``gamma``.
    """
    stage = Stage(
        lake,
        "evaluation",
        inputs={name: ingested[name].digest for name in ("tracks", "users", "interactions")}
        | {name: collaborative[name].digest for name in ("weights", "similarity")}
        | {"content": content["content"].digest, "held_out": held_out.digest},
        hybrid=hybrid,
        parameters=parameters.measured_by(),
        code=source_digest(tasks.evaluation, tasks.hybrid),
    )
    if finished := stage.finished():
        return finished
    began = time.perf_counter()
    sources = _write_sources(stage.scratch, ingested, held_out, collaborative, content, parameters)
    run = _Run(client, stage.scratch, sources, hybrid, parameters, progress)
    split = read_split(sources.split)
    tuned = _tune(run, split, content["content"].rows > 0)
    choices = _choose(run, split, tuned)
    crossed = (choices[1], choices[0])
    cases = report_cases(split, crossed, parameters.truncated_listeners)
    values = run.round("report", report_block, cases, sources, hybrid)
    user_ids = pq.read_table(sources.split, columns=["user_id"])["user_id"].combine_chunks()
    final = choices[2]
    tables = {
        "evaluation": evaluation_table(
            values,
            split,
            final.segments,
            tuned.drawn,
            parameters.confidence,
            ingested["tracks"].rows,
        ),
        "segment_curve": curve_table(
            tuned.segments, tuned.points, tuned.curves, tuned.counts(2), parameters.confidence
        ),
        "segments": segments_table(final.segments),
        "listeners": listeners_table(values, user_ids),
        "values": values.drop_columns(["shown"]).sort_by(
            [(name, "ascending") for name in ("model", "segment", "listener")]
        ),
    }
    files = {name: stage.folder / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_parquet(table, files[name])
    numbers = {
        "held_out": len(split),
        "lists": values.num_rows,
        "gamma": final.gamma,
        "gamma_first_half": choices[0].gamma,
        "gamma_second_half": choices[1].gamma,
    }
    return stage.finish(time.perf_counter() - began, numbers, **files)


def learned_parameters(result: StageResult, hybrid: HybridParameters) -> HybridParameters:
    """Return the parameters with the segments and the γ that `evaluation_stage` learned."""
    segments = tuple(Segment.model_validate(row) for row in result["segments"].read().to_pylist())
    return hybrid.model_copy(update={"segments": segments, "gamma": float(result.counts["gamma"])})


@dataclass(frozen=True)
class Sources:
    """The files a worker reads; equal sources are read once per process."""

    tracks: Path
    weights: Path
    similarity: Path
    content: Path
    listeners: Path
    split: Path
    users: int
    hidden: float
    seed: int


@dataclass(frozen=True)
class _Run:
    """One stage's rounds of blocks."""

    client: Client
    folder: Path
    sources: Sources
    hybrid: HybridParameters
    parameters: EvaluationParameters
    progress: Progress | None

    ROUNDS = ("tuning", "gamma", "report")

    def round(
        self, name: str, compute: Callable[..., pa.Table], cases: pa.Table, *arguments: object
    ) -> pa.Table:
        """Write the cases for the workers, run blocks of them, and join what they return."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        file = self.folder / f"{name}_cases.parquet"
        write_parquet(cases, file)
        cost = cases["length"].to_numpy() + CASE_COST
        blocks = balanced_blocks(cost, BLOCKS)
        before = self.ROUNDS.index(name) * BLOCKS
        progress = self.progress
        parts = run_blocks(
            self.client,
            compute,
            blocks,
            folder,
            file,
            *arguments,
            progress=progress
            and (lambda done, _: progress(before + done, len(self.ROUNDS) * BLOCKS)),
        )
        return pa.concat_tables([pq.read_table(part) for part in parts])


@dataclass(frozen=True)
class _Tuned:
    """What was measured at every point (w, p), by segment."""

    segments: list[Segment]
    points: NDArray[np.float64]
    curves: list[NDArray[np.float64]]
    listeners: list[NDArray[np.int32]]
    drawn: NDArray[np.float64]
    half: NDArray[np.int8]

    def of_half(self, half: int) -> list[NDArray[np.bool_]]:
        """Tell which rows of the curves belong to a half; 2 is both."""
        return [(self.half[rows] == half) | (half == 2) for rows in self.listeners]

    def counts(self, half: int) -> list[NDArray[np.float64]]:
        """Return resamples × listeners for the rows of a half."""
        kept = self.of_half(half)
        return [self.drawn[:, rows[mine]] for rows, mine in zip(self.listeners, kept, strict=True)]


def _tune(run: _Run, split: Split, has_content: bool) -> _Tuned:
    """Measure the grid (w, p) on the tuning listeners of every segment."""
    parameters = run.parameters
    points = grid(parameters, has_content)
    cases = tuning_cases(split, run.hybrid.segments, parameters.tuning_listeners)
    measured = run.round("tuning", grid_block, cases, run.sources, run.hybrid, points)
    flat = measured["values"].combine_chunks().flatten().to_numpy()
    values = flat.reshape(len(cases), len(points))
    of = cases["segment"].to_numpy()
    tuned = [s for s, segment in enumerate(run.hybrid.segments) if segment.max_tracks != 0]
    return _Tuned(
        [run.hybrid.segments[s] for s in tuned],
        points,
        [values[of == s] for s in tuned],
        [cases["listener"].to_numpy()[of == s] for s in tuned],
        resample_counts(len(split), parameters.resamples, parameters.seed),
        split.half,
    )


def _choose(run: _Run, split: Split, tuned: _Tuned) -> tuple[Choice, Choice, Choice]:
    """Choose w, p and γ on the first half, on the second half, and on all held-out listeners."""
    parameters, hybrid = run.parameters, run.hybrid
    blends = []
    for half in (0, 1, 2):
        curves = [c[mine] for c, mine in zip(tuned.curves, tuned.of_half(half), strict=True)]
        chosen = choose_points(tuned.points, curves, tuned.counts(half), parameters.pooling)
        blends.append(Choice(learned_segments(hybrid.segments, chosen), hybrid.gamma))
    some = some_of(split, split.fold_in > 0, parameters.tuning_listeners)
    ours = [some[(split.half[some] == half) | (half == 2)] for half in (0, 1, 2)]
    cases = pa.concat_tables(
        [gamma_cases(split, rows, blend, 0.0) for rows, blend in zip(ours, blends, strict=True)]
    )
    measured = run.round("gamma", gamma_block, cases, run.sources, hybrid, parameters.gammas)
    flat = measured["values"].combine_chunks().flatten().to_numpy()
    gammas = np.array(parameters.gammas)
    values = np.split(
        flat.reshape(len(cases), 2 * len(gammas)), np.cumsum([len(rows) for rows in ours])[:-1]
    )
    choices = []
    for rows, curve, blend in zip(ours, values, blends, strict=True):
        gain, cost = np.hsplit(curve, 2)
        gamma = choose_gamma(gammas, gain, cost, tuned.drawn[:, rows], parameters.gamma_price)
        choices.append(Choice(blend.segments, blend.gamma if gamma is None else gamma))
    return choices[0], choices[1], choices[2]


def grid_block(
    block: Block,
    cases: Path,
    sources: Sources,
    hybrid: HybridParameters,
    points: NDArray[np.float64],
) -> pa.Table:
    """Measure a block of cases at every point (w, p)."""
    world = read_world(sources, hybrid)
    return _values_table(grid_values(world.model, world.split, _rows(cases, block), points))


def gamma_block(
    block: Block,
    cases: Path,
    sources: Sources,
    hybrid: HybridParameters,
    gammas: tuple[float, ...],
) -> pa.Table:
    """Measure a block of cases at every γ, a share of the played tracks taken for unplayed."""
    world = read_world(sources, hybrid)
    hiding, hidden = read_hidden_world(sources, hybrid)
    return _values_table(
        gamma_values(
            world.model, hiding, world.split, _rows(cases, block), np.array(gammas), hidden
        )
    )


def report_block(block: Block, cases: Path, sources: Sources, hybrid: HybridParameters) -> pa.Table:
    """Measure every model on a block of cases."""
    return report_values(read_world(sources, hybrid), _rows(cases, block))


@lru_cache(maxsize=1)
def read_world(sources: Sources, hybrid: HybridParameters) -> World:
    """Read the model and the held-out listeners, once per worker."""
    tracks = pq.read_table(
        sources.tracks, columns=["track_key", "played_key", "artist_key", "tags"]
    )
    listeners = pq.read_table(sources.listeners)["listeners"]
    played = track_of_played(tracks)
    weights, similarity = (
        Neighbours.from_edges(track_edges(pq.read_table(file), played), len(tracks))
        for file in (sources.weights, sources.similarity)
    )
    model = HybridModel(
        weights,
        Neighbours.from_edges(pq.read_table(sources.content), len(tracks)),
        Catalogue.from_tracks(
            pa.table({"listeners": listeners, "artist_key": tracks["artist_key"]})
        ),
        hybrid,
    )
    return World(
        model,
        similarity,
        listeners.to_numpy(),
        sources.users,
        Tags.of(tracks["tags"]),
        read_split(sources.split),
    )


@lru_cache(maxsize=1)
def read_hidden_world(
    sources: Sources, hybrid: HybridParameters
) -> tuple[HybridModel, NDArray[np.bool_]]:
    """Take a share of the played tracks, drawn by their ids, for unplayed, once per worker."""
    world = read_world(sources, hybrid)
    ids = pq.read_table(sources.tracks, columns=["track_id"])["track_id"]
    drawn = mixed(id_hashes(ids, sources.seed), stream=1) / 2.0**64
    hidden = (drawn < sources.hidden) & (world.listeners > 0)
    return hidden_world(world.model, world.listeners, hidden), hidden


def read_split(file: Path) -> Split:
    """Read the held-out listeners with their tracks in drawing order."""
    table = pq.read_table(file)
    lists = table["tracks"].combine_chunks()
    sizes = lists.value_lengths().to_numpy()
    return Split(
        table["hash"].to_numpy(),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        lists.flatten().to_numpy(),
        table["targets"].to_numpy(),
    )


def _write_sources(
    folder: Path,
    ingested: StageResult,
    held_out: Dataset,
    collaborative: StageResult,
    content: StageResult,
    parameters: EvaluationParameters,
) -> Sources:
    """Split the held-out histories and count listeners without them; write both for workers."""
    tracks = ingested["tracks"].read(["track_key", "track_id", "played_key", "listeners"])
    keys: NDArray[np.int32] = held_out.read()["user_key"].to_numpy()
    users = ingested["users"].read(["user_id"]).take(pa.array(keys))
    row, track = _held_out_plays(ingested, keys, track_of_played(tracks))
    hashes = id_hashes(users["user_id"], parameters.seed)
    split = Split.of(hashes, row, track, id_hashes(tracks["track_id"], parameters.seed))
    others = tracks["listeners"].to_numpy() - np.bincount(track, minlength=len(tracks))
    files = {name: folder / f"{name}.parquet" for name in ("split", "listeners")}
    write_parquet(
        pa.table(
            [
                pa.array(keys, pa.int32()),
                users["user_id"],
                hashes,
                pa.ListArray.from_arrays(
                    pa.array(split.indptr, pa.int32()), pa.array(split.tracks, pa.int32())
                ),
                split.targets,
            ],
            schema=_SPLIT,
        ),
        files["split"],
    )
    write_parquet(pa.table({"listeners": pa.array(others, pa.int32())}), files["listeners"])
    return Sources(
        ingested["tracks"].path,
        collaborative["weights"].path,
        collaborative["similarity"].path,
        content["content"].path,
        files["listeners"],
        files["split"],
        ingested["users"].rows - len(keys),
        parameters.hidden,
        parameters.seed,
    )


def _held_out_plays(
    ingested: StageResult, keys: NDArray[np.int32], track_of: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the plays of the held-out listeners: row among them, track key."""
    plays = ingested["interactions"].read(["user_key", "played_key"])
    plays = plays.filter(pc.is_in(plays["user_key"], pa.array(keys)))
    row = np.searchsorted(keys, plays["user_key"].to_numpy())
    return row, track_of[plays["played_key"].to_numpy()]


def _rows(file: Path, block: Block) -> pa.Table:
    return pq.read_table(file).slice(block.start, block.stop - block.start)


def _values_table(values: NDArray[np.float64]) -> pa.Table:
    flat = pa.array(np.ascontiguousarray(values).ravel())
    return pa.table({"values": pa.FixedSizeListArray.from_arrays(flat, values.shape[1])})
