"""The measured model that a release keeps in the lake: what re-ranking held-out listeners needs.

It is the model before any refit, so the held-out listeners are strangers to it. The edges are the
files of the stages that found them, by hard links where the file system has them.
"""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.blend.model import track_of_played
from tasks.blend.parameters import HybridParameters, Segment
from tasks.evaluation.choice import Choice
from tasks.holdout.rule import HoldoutRule
from tasks.holdout.stage import rule_of
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.measured import BLEND, STAGE, TRACKS
from tasks.lake.dataset import Dataset
from tasks.lake.files import publish_file, write_parquet
from tasks.lake.keys import fingerprint
from tasks.lake.plays import plays_of
from tasks.lake.record import Stage, StageResult, read_record
from warehouse.releases.manifest import KeptModel

FORMAT = 1
"""Form of the files and meaning of the edges; a change of either needs the next number."""


def measured_stage(
    lake: Path,
    ingested: StageResult,
    held_out: Dataset,
    collaborative: StageResult,
    content: StageResult,
    evaluation: StageResult,
    hybrid: HybridParameters,
) -> StageResult:
    """Keep the model that ``evaluation`` measured, in the form that `read_measured` takes.

    ``collaborative`` and ``content`` are those that have not seen the held-out listeners.
    """
    rule = rule_of(held_out)
    stage = Stage(
        lake,
        STAGE,
        inputs={name: ingested[name].digest for name in ("tracks", "interactions")}
        | {"weights": collaborative["weights"].digest, "content": content["content"].digest}
        | {"choices": evaluation["choices"].digest, "held_out": held_out.digest},
        rule=rule,
        hybrid=hybrid,
        code=code_digest(__name__),
    )
    if finished := stage.finished():
        return finished
    began = time.perf_counter()
    files = {name: stage.folder / f"{name}.parquet" for name in STAGE.datasets}
    write_parquet(_tracks(ingested, held_out), files["tracks"])
    write_parquet(_blend(evaluation["choices"].read(), hybrid), files["blend"])
    _link(collaborative["weights"].path, files["weights"])
    _link(content["content"].path, files["content"])
    counts = {"format": FORMAT, "share": rule.share, "seed": rule.seed}
    return stage.finish(time.perf_counter() - began, counts, ("weights", "content"), **files)


def kept_model(measured: StageResult, release_id: str) -> KeptModel:
    """Return how a manifest names the measured model of a release."""
    return KeptModel(
        release_id=release_id,
        key=measured.key,
        digest=_digest(measured),
        format=int(measured.counts["format"]),
        seed=int(measured.counts["seed"]),
        share=float(measured.counts["share"]),
    )


def find_measured(lake: Path, kept: KeptModel) -> StageResult | None:
    """Return a measured model if it is in the lake as its manifest says, else None."""
    try:
        result = read_record(lake / STAGE.stage / kept.key)
    except (OSError, ValueError):
        return None
    is_whole = all(dataset.is_whole() for dataset in result.datasets.values())
    return result if is_whole and _digest(result) == kept.digest else None


@dataclass(frozen=True)
class MeasuredModel:
    """A measured model as read from the lake; edges are in its own track keys."""

    track_ids: pa.Array
    """In byte order; the position is the track key."""
    listeners: NDArray[np.int32]
    artist_key: NDArray[np.int32]
    weights: pa.Table
    """EDGES in played keys."""
    content: pa.Table
    """EDGES in track keys."""
    track_of_played: NDArray[np.int32]
    choices: tuple[Choice, Choice, Choice]
    """Chosen on either half of the held-out listeners, and on all of them."""
    hybrid: HybridParameters
    rule: HoldoutRule


def read_measured(result: StageResult) -> MeasuredModel:
    """Read what `measured_stage` wrote."""
    tracks, blend = result["tracks"].read(), result["blend"].read().to_pylist()
    of_half: dict[int, list[Segment]] = {0: [], 1: [], 2: []}
    for row in blend:
        segment = {name: row[name] for name in Segment.model_fields}
        of_half[row["half"]].append(Segment.model_validate(segment))
    gamma = {row["half"]: row["gamma"] for row in blend}
    first, second, both = (Choice(tuple(of_half[half]), gamma[half]) for half in (0, 1, 2))
    keys = pa.array(np.arange(len(tracks), dtype=np.int32))
    return MeasuredModel(
        tracks["track_id"].combine_chunks(),
        tracks["listeners"].to_numpy(),
        tracks["artist_key"].to_numpy(),
        result["weights"].read(),
        result["content"].read(),
        track_of_played(tracks.append_column("track_key", keys)),
        (first, second, both),
        HybridParameters(
            segments=both.segments,
            gamma=both.gamma,
            artist_factor=blend[0]["artist_factor"],
            popular_candidates=blend[0]["popular_candidates"],
        ),
        HoldoutRule(seed=int(result.counts["seed"]), share=float(result.counts["share"])),
    )


def _tracks(ingested: StageResult, held_out: Dataset) -> pa.Table:
    columns = ["track_key", "track_id", "listeners", "artist_key", "played_key"]
    tracks = ingested["tracks"].read(columns)
    _, played = plays_of(ingested["interactions"], held_out.read()["user_key"].to_numpy())
    theirs = np.bincount(track_of_played(tracks)[played], minlength=len(tracks))
    return pa.table(
        [
            tracks["track_id"],
            pa.array(tracks["listeners"].to_numpy() - theirs, pa.int32()),
            tracks["artist_key"].fill_null(-1).cast(pa.int32()),
            tracks["played_key"].cast(pa.int32()),
        ],
        schema=TRACKS.schema,
    )


def _blend(choices: pa.Table, hybrid: HybridParameters) -> pa.Table:
    return pa.table(
        [
            *choices.columns,
            pa.array(np.full(len(choices), hybrid.artist_factor)),
            pa.array(np.full(len(choices), hybrid.popular_candidates, np.int32)),
        ],
        schema=BLEND.schema,
    )


def _link(source: Path, path: Path) -> None:
    """Give a finished file a second name, or copy it where that cannot be."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    try:
        os.link(source, partial)
    except OSError:
        shutil.copyfile(source, partial)
    publish_file(partial, path)


def _digest(measured: StageResult) -> str:
    return fingerprint(**{name: one.digest for name, one in measured.datasets.items()})
