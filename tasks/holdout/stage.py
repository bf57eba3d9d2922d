"""Choose the listeners that the published model must not see."""

import time
from pathlib import Path

import pyarrow as pa

from tasks.holdout.listeners import held_out_listeners
from tasks.holdout.parameters import HoldoutParameters
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.holdout import HELD_OUT, STAGE
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage


def holdout_stage(lake: Path, users: Dataset, parameters: HoldoutParameters) -> Dataset | None:
    """Choose the listeners that the published model must not see.

    Returns one column, user_key (int32, ascending), or None where nobody is held out: the share
    is 0, or nobody has two tracks.
    """
    if parameters.holdout == 0:
        return None
    stage = Stage(
        lake,
        STAGE,
        users=users.digest,
        parameters=parameters.held_out_by(),
        code=code_digest(__name__),
    )
    if not (result := stage.finished()):
        began = time.perf_counter()
        chosen = held_out_listeners(
            users.read(["user_key", "user_id", "tracks_played"]), parameters
        )
        file = stage.folder / "held_out.parquet"
        write_parquet(pa.table([pa.array(chosen, pa.int32())], schema=HELD_OUT.schema), file)
        result = stage.finish(time.perf_counter() - began, {"held_out": len(chosen)}, held_out=file)
    return result["held_out"] if result["held_out"].rows else None
