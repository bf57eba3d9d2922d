"""Keep the measured model of a release in the lake: what re-ranking held-out listeners needs.

It is the model before any refit, so the held-out listeners are strangers to it. The edges are the
files of the stages that found them, by hard links where the file system has them.
"""

import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from tasks.blend.model import track_of_played
from tasks.blend.parameters import HybridParameters
from tasks.holdout.stage import rule_of
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.measured import BLEND, STAGE, TRACKS
from tasks.lake.dataset import Dataset
from tasks.lake.files import link_file, write_parquet
from tasks.lake.plays import plays_of
from tasks.lake.record import Stage, StageResult

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
    """Keep the model that ``evaluation`` measured, in the form that `read_measured` reads.

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
    link_file(collaborative["weights"].path, files["weights"])
    link_file(content["content"].path, files["content"])
    counts = {"format": FORMAT, "share": rule.share, "seed": rule.seed}
    return stage.finish(time.perf_counter() - began, counts, ("weights", "content"), **files)


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
