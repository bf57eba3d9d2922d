"""The data as they were at a cut: what the temporal split learns from, and what it asks.

The random split asks for tracks that were taken out of a history at random, whatever was played
first. The temporal split asks the past about the future: models learn from what was played before a
day, and what their listeners played for the first time from that day on is to be found. Nothing
that was played later enters what this stage writes, except the tracks to be found.
"""

import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.evaluation.cut import Cut, FirstPlays, choose_cut, last_day
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.past_tables import Listeners, past_tables
from tasks.holdout.rule import MIN_TRACKS
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.past import STAGE
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage, StageResult

DAY = 86_400

LEFT_OUT = "left out because"
"""The count of `past_stage` that says in words why there is no temporal split."""


def past_stage(
    lake: Path, ingested: StageResult, held_out: Dataset, parameters: EvaluationParameters
) -> StageResult | None:
    """Write the data as ingest would have at the cut, and what was played first after it.

    ``tracks``, ``users``, ``interactions`` and ``held_out`` are those of ingest and holdout with
    only what was played before the cut, in keys of their own. Each listen counts as one play, as
    the number of plays until then is not known. Beyond ``temporal_plays`` listens they are of a
    sample of the listeners, with every track that these had played and the same share of all
    others, drawn by their ids. ``asked`` has the listeners with a history before the cut and tracks
    to be found after it, ``popularity`` the listeners of each track at the cut. A listen without a
    time is left out everywhere.

    Returns None where the data have no times or the parameters want no temporal split, and a
    result with the count `LEFT_OUT` and no datasets where the data do not suffice.
    """
    if parameters.temporal_share == 0 or not _is_timed(ingested["interactions"]):
        return None
    stage = Stage(
        lake,
        STAGE,
        inputs={name: ingested[name].digest for name in ("tracks", "users", "interactions")},
        held_out=held_out.digest,
        parameters=parameters.cut_by(),
        code=code_digest(__name__),
    )
    if finished := stage.finished():
        return finished
    began = time.perf_counter()
    share = min(1.0, parameters.temporal_plays / max(1, ingested["interactions"].rows))
    listeners = Listeners.of(
        ingested["users"].read(["user_id"])["user_id"].combine_chunks(),
        held_out.read()["user_key"].to_numpy(),
        share,
        parameters.seed,
    )
    plays, end = _first_plays(ingested["interactions"], listeners.is_sampled)
    cut = choose_cut(plays, end, parameters)
    if isinstance(cut, str):
        return stage.finish(time.perf_counter() - began, {LEFT_OUT: cut})
    tables = past_tables(ingested["tracks"].read(), listeners, plays, cut.day, parameters)
    if not _can_be_measured(tables, parameters):
        because = "too few of the held-out listeners had played anything by then"
        return stage.finish(time.perf_counter() - began, {LEFT_OUT: because})
    files = {name: stage.folder / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_parquet(table, files[name])
    return stage.finish(time.perf_counter() - began, _counts(tables, cut, share), **files)


def has_questions(past: StageResult) -> bool:
    """Tell whether there is a temporal split."""
    return "asked" in past.datasets


def _is_timed(interactions: Dataset) -> bool:
    return "first_at" in pq.read_schema(interactions.path).names


def _first_plays(interactions: Dataset, is_sampled: NDArray[np.bool_]) -> tuple[FirstPlays, int]:
    """Return the first plays of the sampled listeners, and the day on which the data end."""
    pieces = [FirstPlays.none()]
    by_day = np.zeros(1, np.int64)
    for batch in interactions.batches(["user_key", "played_key", "first_at"]):
        has_time = batch["first_at"].is_valid().to_numpy(zero_copy_only=False)
        day = (batch["first_at"].fill_null(0).to_numpy() // DAY).astype(np.int32)
        counted = np.bincount(day[has_time], minlength=len(by_day))
        counted[: len(by_day)] += by_day
        by_day = counted
        user = batch["user_key"].to_numpy()
        kept = has_time & is_sampled[user]
        pieces.append(FirstPlays(user[kept], batch["played_key"].to_numpy()[kept], day[kept]))
    return FirstPlays.joined(pieces), last_day(by_day)


def _can_be_measured(tables: dict[str, pa.Table], parameters: EvaluationParameters) -> bool:
    """Tell whether anybody is left to choose a blend on, and enough to ask."""
    keys = tables["held_out"]["user_key"].to_numpy()
    sizes = tables["users"]["tracks_played"].to_numpy()[keys]
    can_be_split = int(np.count_nonzero(sizes >= MIN_TRACKS))
    return can_be_split > 0 and len(tables["asked"]) >= parameters.temporal_fewest


def _counts(tables: dict[str, pa.Table], cut: Cut, share: float) -> dict[str, int | float | str]:
    """Return what a run says of the split, and what `played_tracks` reads."""
    asked, tracks = tables["asked"], tables["tracks"]
    held_out = int(np.count_nonzero(asked["is_held_out"].to_numpy(zero_copy_only=False)))
    return {
        "cut": str(date(1970, 1, 1) + timedelta(days=cut.day)),
        "days": cut.window,
        **({} if share == 1 else {"share of listeners": round(share, 4)}),
        "listens": len(tables["interactions"]),
        "tracks": len(tracks),
        "unplayed_tracks": tracks["played_key"].null_count,
        "known_listeners": len(asked) - held_out,
        "new_listeners": held_out,
        "targets": int(np.sum(asked["targets"].to_numpy())),
    }
