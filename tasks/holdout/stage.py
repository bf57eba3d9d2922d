"""Choose the listeners that the measured model must not see."""

import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from tasks.holdout.parameters import HoldoutParameters
from tasks.holdout.rule import MIN_TRACKS, HoldoutRule, held_out_listeners, holdout_rule
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.holdout import HELD_OUT, STAGE
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage, read_record


def holdout_stage(
    lake: Path,
    users: Dataset,
    parameters: HoldoutParameters,
    before: HoldoutRule | None = None,
) -> Dataset | None:
    """Choose the listeners that the measured model must not see.

    ``before`` is the rule that the current release was measured with. Returns one column,
    user_key (int32, ascending), or None where nobody can be measured: the share is 0, or nobody
    who would be held out has two tracks.
    """
    if parameters.holdout == 0:
        return None
    table = users.read(["user_key", "user_id", "tracks_played"])
    rule = holdout_rule(table, parameters, before)
    if rule is None:
        return None
    # by the rule, not by what led to it: the release after the first one is measured by the same
    stage = Stage(lake, STAGE, users=users.digest, rule=rule, code=code_digest(__name__))
    if not (result := stage.finished()):
        began = time.perf_counter()
        chosen = held_out_listeners(table, rule)
        is_held_out = np.isin(table["user_key"].to_numpy(), chosen, assume_unique=True)
        can_be_split = table["tracks_played"].to_numpy() >= MIN_TRACKS
        counts = {
            "held_out": len(chosen),
            "measurable": int(np.count_nonzero(is_held_out & can_be_split)),
            "share": rule.share,
            "seed": rule.seed,
        }
        file = stage.folder / "held_out.parquet"
        write_parquet(pa.table([pa.array(chosen, pa.int32())], schema=HELD_OUT.schema), file)
        result = stage.finish(time.perf_counter() - began, counts, held_out=file)
    return result["held_out"] if result.counts["measurable"] else None


def rule_of(held_out: Dataset) -> HoldoutRule:
    """Return the rule by which `holdout_stage` chose these listeners."""
    counts = read_record(held_out.path.parent).counts
    return HoldoutRule(seed=int(counts["seed"]), share=float(counts["share"]))
