"""Backtest: every model and blend of one dataset measured side by side, nothing published."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pyarrow as pa
from distributed import Client

from tasks.backtest.cold import ColdParameters
from tasks.backtest.cold_stage import cold_backtest
from tasks.blend.parameters import HybridParameters
from tasks.collaborative.models.registry import model_names
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.content.parameters import ContentParameters
from tasks.content.stage import content_stage
from tasks.dataset.spec import DatasetSpec
from tasks.evaluation.hiding import HiddenWorld, hiding_stage
from tasks.evaluation.models import (
    ANY_ARTIST,
    COLLABORATIVE,
    CONTENT,
    COSINE,
    FIFTY_FIFTY,
    HYBRID,
    POPULARITY,
)
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.stage import evaluation_stage, learned_parameters
from tasks.holdout.rule import HoldoutRule
from tasks.holdout.stage import holdout_stage
from tasks.lake.blocks import Progress
from tasks.lake.plays import played_tracks
from tasks.lake.record import StageResult
from warehouse.errors import InputError

BLENDS = (FIFTY_FIFTY, HYBRID, ANY_ARTIST)
"""Rows of an evaluation that depend on the collaborative model, beside itself."""

COLD = "cold tracks"
"""What the backtest on cold tracks is called where stages are named."""


def _unseen(_: str) -> AbstractContextManager[Progress | None]:
    return nullcontext()


def backtest(
    lake: Path,
    client: Client,
    spec: DatasetSpec,
    ingested: StageResult,
    collaborative: CollaborativeParameters,
    content: ContentParameters,
    hybrid: HybridParameters,
    parameters: EvaluationParameters,
    models: Sequence[str] = (),
    on_stage: Callable[[StageResult, str], object] = lambda _result, _name: None,
    cold: ColdParameters | None = None,
    before: HoldoutRule | None = None,
    under_way: Callable[[str], AbstractContextManager[Progress | None]] = _unseen,
) -> pa.Table:
    """Measure the named collaborative models, or all, alone and blended, on the same listeners.

    Returns the rows of `EVALUATION`. What does not depend on the collaborative model is there once
    (popularity, cosine, content); the rest is named after it: ``learned``, ``hybrid(learned)``, ….
    Last come the rows of the cold-track backtest, blended as the first model's lists are.
    ``on_stage`` is called with every finished stage and its name, which begins with that of the
    model; ``under_way`` announces each by its name. ``before`` is the rule by which listeners were
    held out of the current release. Raises InputError where nobody can be held out.
    """
    models = models or model_names()
    held_out = holdout_stage(lake, ingested["users"], parameters, before)
    if held_out is None:
        raise InputError(
            "nobody is held out, so there is nothing to measure on; give a holdout above 0 and a "
            "history in which some listeners have at least two tracks"
        )
    features = (spec.tracks.numeric, spec.tracks.categorical)

    def by_content_in(world: StageResult, name: str) -> StageResult:
        tracks, plays = world["tracks"], world["interactions"]
        with under_way(name) as progress:
            return content_stage(
                lake, client, tracks, plays, held_out, *features, content, progress
            )

    by_content = by_content_in(ingested, "content")
    on_stage(by_content, "content")
    hiding = hiding_stage(lake, ingested, parameters)
    tables: list[pa.Table] = []
    blend = hybrid
    for model in models:
        chosen = collaborative.model_copy(update={"model": model})

        def by_plays_in(
            world: StageResult, name: str, chosen: CollaborativeParameters = chosen
        ) -> StageResult:
            plays, played = world["interactions"], played_tracks(world)
            with under_way(name) as progress:
                return collaborative_stage(lake, client, plays, played, held_out, chosen, progress)

        by_plays = by_plays_in(ingested, f"{model}: collaborative")
        on_stage(by_plays, f"{model}: collaborative")
        hidden = None
        if hiding is not None:
            hidden = HiddenWorld(
                hiding,
                by_plays_in(hiding, f"{model}: collaborative_hidden"),
                by_content_in(hiding, "content_hidden"),
            )
        with under_way(f"{model}: evaluation") as progress:
            measured = evaluation_stage(
                lake, client, ingested, held_out, by_plays, by_content, hybrid, parameters,
                progress, hidden,
            )  # fmt: skip
        on_stage(measured, f"{model}: evaluation")
        kept = {CONTENT, POPULARITY} if not tables else set()
        if COSINE not in models and not tables:
            kept |= {COSINE}
        tables.append(named_after(measured["evaluation"].read(), model, kept))
        blend = learned_parameters(measured, hybrid) if len(tables) == 1 else blend
    with under_way(COLD):
        tables.append(
            cold_backtest(
                lake,
                client,
                spec,
                ingested,
                content,
                collaborative,
                blend,
                cold or ColdParameters(),
            )
        )
    return pa.concat_tables(tables)


def named_after(evaluation: pa.Table, model: str, kept: Collection[str]) -> pa.Table:
    """Name the rows that depend on the collaborative model after it; of the others keep some."""
    names = {COLLABORATIVE: model, **{blend: f"{blend}({model})" for blend in BLENDS}}
    names |= {name: name for name in kept}
    rows = [
        {**row, "model": names[row["model"]]}
        for row in evaluation.to_pylist()
        if row["model"] in names
    ]
    return pa.Table.from_pylist(rows, schema=evaluation.schema)
