"""Choose the listeners that the published model must not see."""

import time
from pathlib import Path

import pyarrow as pa

import tasks.evaluation
from tasks.evaluation.holdout import held_out_listeners
from tasks.evaluation.parameters import EvaluationParameters
from tasks.lake import Dataset, Stage, write_parquet
from tasks.schemas import HELD_OUT
from tasks.source import source_digest


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
