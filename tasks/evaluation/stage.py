"""The stage: learn the blend's weights on held-out listeners, measure every model on them."""

import time
from pathlib import Path

import pyarrow.parquet as pq
from distributed import Client

from tasks.blend.parameters import HybridParameters, Segment
from tasks.evaluation.cases import report_cases, tuning_cases
from tasks.evaluation.checks import blend_checks
from tasks.evaluation.choosing import choose, tune
from tasks.evaluation.hiding import HiddenWorld
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.report import (
    choices_table,
    curve_table,
    evaluation_table,
    listeners_table,
    segments_table,
)
from tasks.evaluation.rounds import Rounds, report_block
from tasks.evaluation.sources import read_split, write_sources
from tasks.lake.blocks import Progress
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.evaluation import STAGE
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage, StageResult


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
    hidden: HiddenWorld | None = None,
) -> StageResult:
    """Learn the blend's weights on the held-out listeners and measure every model on them.

    Datasets: ``evaluation``, ``segment_curve``, ``segments``, ``choices``, ``listeners`` (see
    tasks.evaluation.report), ``data_quality``, the checks of the blend, and ``values``, what they
    were made of: one row per case and model.
    ``collaborative`` and ``content`` must not have seen the held-out listeners, those of ``hidden``
    neither them nor the hidden tracks' plays. Without ``hidden``, γ is chosen with the same
    neighbours as everything else. Counts hold the learned ``gamma``.
    """
    stage = Stage(
        lake,
        STAGE,
        inputs={name: ingested[name].digest for name in ("tracks", "users", "interactions")}
        | {name: collaborative[name].digest for name in ("weights", "similarity")}
        | {"content": content["content"].digest, "held_out": held_out.digest}
        | ({} if hidden is None else hidden.digests),
        hybrid=hybrid,
        parameters=parameters.measured_by(),
        code=code_digest(__name__),
    )
    if finished := stage.finished():
        return finished
    began = time.perf_counter()
    sources = write_sources(
        stage.scratch, ingested, held_out, collaborative, content, parameters, hidden
    )
    rounds = Rounds(client, stage.scratch, sources, hybrid, parameters, progress)
    split = read_split(sources.split)
    cases = tuning_cases(split, hybrid.segments, parameters.tuning_listeners)
    tuned = tune(rounds, split, cases, hybrid.segments, content["content"].rows > 0)
    choices = choose(rounds, split, tuned)
    crossed = (choices[1], choices[0])
    cases = report_cases(split, crossed, parameters.truncated_listeners)
    values = rounds.measure("report", report_block, cases, sources, hybrid)
    user_ids = pq.read_table(sources.split, columns=["user_id"])["user_id"].combine_chunks()
    final = choices[2]
    evaluation = evaluation_table(
        values,
        split,
        final.segments,
        tuned.drawn,
        parameters.confidence,
        ingested["tracks"].rows,
    )
    tables = {
        "evaluation": evaluation,
        "data_quality": blend_checks(evaluation),
        "segment_curve": curve_table(
            tuned.segments, tuned.points, tuned.curves, tuned.counts(2), parameters.confidence
        ),
        "segments": segments_table(final.segments),
        "choices": choices_table(choices),
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
