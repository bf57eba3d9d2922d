"""The stage: measure what models of the past are worth for what was played after the cut."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client
from numpy.typing import NDArray

from tasks.blend.model import BlendCatalogue
from tasks.blend.neighbours import Neighbours
from tasks.blend.parameters import HybridParameters, Segment, segment_of
from tasks.evaluation.bootstrap import resample_counts
from tasks.evaluation.cases import AS_IS, as_is_cases
from tasks.evaluation.checks import blend_checks
from tasks.evaluation.choice import Choice
from tasks.evaluation.half_life import ALL, choose_half_lives, half_lives_table
from tasks.evaluation.in_time import best_in_time, moved_segments, supported_table
from tasks.evaluation.measure import DEPTH, list_values, lists_by_model
from tasks.evaluation.models import HYBRID, RECENT
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.points import rank_popular
from tasks.evaluation.report import (
    JUDGED,
    SINGLE_SIGNALS,
    TEMPORAL,
    Reported,
    by_popularity,
    temporal_table,
)
from tasks.evaluation.rounds import Rounds
from tasks.evaluation.sources import Sources, read_context, read_split
from tasks.evaluation.split import Split
from tasks.evaluation.stage import learned_parameters
from tasks.lake.blocks import Block, Progress
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.temporal import STAGE
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage, StageResult

ROUNDS = ("half_life", "tuning", "report")
"""The rounds of blocks, in their order."""


def temporal_stage(
    lake: Path,
    client: Client,
    past: StageResult,
    neighbours: Neighbours,
    evaluation: StageResult,
    hybrid: HybridParameters,
    parameters: EvaluationParameters,
    progress: Progress | None = None,
) -> StageResult:
    """Measure every model on what was played first after the cut.

    ``past`` is what `past_stage` wrote, with questions; ``neighbours`` were learned from it without
    its held-out listeners, and ``evaluation`` is `evaluation_stage` of the same past: the blend is
    the one that a release of that day would have had, moved as far as the other half of the
    listeners supports. Datasets: ``evaluation``, in which the names of segments begin with
    `TEMPORAL`, ``supported``, how far the listeners move a blend, ``half_lives``, what was tried
    for histories, and ``data_quality``, the checks of the blend.
    """
    names = ("tracks", "popularity", "asked")
    stage = Stage(
        lake,
        STAGE,
        inputs={name: past[name].digest for name in names}
        | {"neighbours": neighbours.digest, "choices": evaluation["choices"].digest},
        hybrid=hybrid,
        parameters=parameters.asked_by(),
        code=code_digest(__name__),
    )
    if finished := stage.finished():
        return finished
    began = time.perf_counter()
    learned = learned_parameters(evaluation, hybrid)
    split = read_split(past["asked"].path)
    sources = past_sources(past, neighbours, parameters)
    rounds = Rounds(client, stage.scratch, sources, hybrid, parameters, progress, ROUNDS)
    has_content = neighbours.content["content"].rows > 0
    chosen = Choice(learned.segments, learned.gamma)
    fading = choose_half_lives(rounds, split, chosen, parameters.temporal_half_lives)
    half_lives = [one.chosen for one in fading]
    found = best_in_time(rounds, split, learned.segments, has_content, half_lives)
    first, second, _ = (
        Choice(moved_segments(learned.segments, one), learned.gamma, half_life)
        for one, half_life in zip(found, half_lives, strict=True)
    )
    cases = as_is_cases(split, (second, first))
    values = rounds.measure("report", temporal_block, cases, sources, hybrid)
    table = temporal_table(
        values,
        list(_segments(split, past["asked"].read(["is_held_out"]), hybrid.segments)),
        resample_counts(len(split), parameters.resamples, parameters.seed),
        parameters.confidence,
        past["tracks"].rows,
    )
    tables = {
        "evaluation": table,
        "supported": supported_table(learned.segments, found),
        "half_lives": half_lives_table(fading),
        "data_quality": blend_checks(table),
    }
    files = {name: stage.folder / f"{name}.parquet" for name in tables}
    for name, one in tables.items():
        write_parquet(one, files[name])
    counts = _counts(table, past, half_lives[ALL])
    return stage.finish(time.perf_counter() - began, counts, **files)


def past_sources(
    past: StageResult, neighbours: Neighbours, parameters: EvaluationParameters
) -> Sources:
    """Return the files of the models of the past, and of those who are asked."""
    return Sources(
        past["tracks"].path,
        neighbours.collaborative["weights"].path,
        neighbours.collaborative["similarity"].path,
        neighbours.content["content"].path,
        past["popularity"].path,
        past["asked"].path,
        past["users"].rows - past["held_out"].rows,
        parameters.hidden,
        parameters.seed,
        None,
    )


def temporal_block(
    block: Block, cases: Path, sources: Sources, hybrid: HybridParameters
) -> pa.Table:
    """Measure every model on a block of cases."""
    context = read_context(sources, hybrid)
    rows = pq.read_table(cases).slice(block.start, block.stop - block.start)
    recent = pq.read_table(sources.listeners, columns=["recent_listeners"])["recent_listeners"]
    catalogue = BlendCatalogue.from_tracks(
        pa.table({"listeners": recent, "artist_key": context.model.catalogue.artist_key})
    )
    listeners, lengths = (rows[name].to_numpy() for name in ("listener", "length"))
    histories = context.split.histories(listeners, lengths)
    lists = lists_by_model(context, rows)
    return list_values(context, rows, lists | {RECENT: rank_popular(catalogue, *histories, DEPTH)})


def _segments(split: Split, asked: pa.Table, segments: tuple[Segment, ...]) -> Iterator[Reported]:
    """Yield every reported segment: nobody is truncated, as there are listeners of every length."""
    is_new: NDArray[np.bool_] = asked["is_held_out"].to_numpy()
    yield Reported("all", AS_IS, np.ones(len(split), np.bool_))
    yield Reported("known", AS_IS, ~is_new)
    yield Reported("new", AS_IS, is_new)
    of = segment_of(split.fold_in, segments)
    for s, segment in enumerate(segments):
        yield Reported(f"history:{segment.segment}", AS_IS, np.asarray(of == s))
    yield from by_popularity(len(split))


def _counts(table: pa.Table, past: StageResult, half_life: int) -> dict[str, int | float | str]:
    """Return what a run says of the result."""
    metric, k = JUDGED
    rows = {
        row["model"]: row
        for row in table.to_pylist()
        if (row["segment"], row["metric"], row["k"]) == (f"{TEMPORAL}all", metric, k)
    }
    best = max((*SINGLE_SIGNALS, RECENT), key=lambda model: float(rows[model]["value"]))
    return {
        "listeners": past["asked"].rows,
        "cut": past.counts["cut"],
        "NDCG@100 hybrid": round(float(rows[HYBRID]["value"]), 4),
        "best of the others": f"{best} {rows[best]['value']:.4f}",
        **({"half-life in days": half_life} if half_life else {}),
    }
