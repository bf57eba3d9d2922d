"""The cold-track backtest on the Dask cluster: one block per draw of hidden tracks."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from distributed import Client
from numpy.typing import NDArray
from scipy import sparse

from tasks.backtest.baselines import OURS, Baselines, OurContent, summed
from tasks.backtest.cold import METRICS, ColdParameters, cold_draws, cold_table, measure_cold
from tasks.backtest.draws import draw_means
from tasks.backtest.exposure import GAMMAS, MEASURES, exposure_values
from tasks.blend.parameters import HybridParameters
from tasks.collaborative.models.registry import model_origin
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.content.parameters import ContentParameters
from tasks.content.plays import read_plays
from tasks.lake.blocks import Block, run_blocks
from tasks.lake.code import code_digest
from tasks.lake.contracts.contract import StageContract
from tasks.lake.contracts.stages.evaluation import EVALUATION
from tasks.lake.dataset import Dataset
from tasks.lake.record import Stage, StageResult

if TYPE_CHECKING:  # how a dataset is described does not decide what is measured
    from tasks.dataset.spec import DatasetSpec

LEAST_LISTENERS = 3
"""Listeners a track must have to take part: to be hidden, and then found, by more than one."""

MOST_TRACKS = 5_000
"""Tracks that take part, drawn at random where there are more: baselines compare all pairs."""

MEASURED = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("gamma", pa.float64()),  # null: hidden tracks alone are to choose from
        pa.field("metric", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),  # of one listener; NaN: none
    ]
)
"""What a draw measured, one row per model, γ, metric and listener."""

STAGE = StageContract("cold", {})
"""Its blocks are kept for the next backtest, but no stage reads them."""

COLD = "cold"
"""Segment of the rows where hidden tracks alone are to choose from."""

CATALOGUE = "catalogue"
"""Segment of the rows where the whole catalogue is."""


def cold_backtest(
    lake: Path,
    client: Client,
    spec: "DatasetSpec",
    ingested: StageResult,
    content: ContentParameters,
    collaborative: CollaborativeParameters,
    hybrid: HybridParameters,
    parameters: ColdParameters,
) -> pa.Table:
    """Measure who finds the listeners of hidden tracks; return rows of `EVALUATION`.

    Segment ``cold``: every way to score hidden tracks, with ``recall`` and ``ndcg``, and as
    ``recall_ratio`` and ``ndcg_ratio`` how many times as good ours is (paired by draw). Intervals
    are over draws (`tasks.backtest.draws`). Segment ``catalogue``: the hybrid at each γ, see
    `tasks.backtest.exposure`. Empty where fewer than 50 tracks have listeners enough.
    """
    collaborative = collaborative.concrete
    listeners = ingested["tracks"].read(["listeners"])["listeners"].to_numpy()
    kept = _taking_part(listeners, parameters.seed)
    if len(kept) < 50:
        return EVALUATION.schema.empty_table()
    stage = Stage(
        lake,
        STAGE,
        inputs=[ingested[name].digest for name in ("tracks", "interactions")],
        features=[spec.tracks.numeric, spec.tracks.categorical],
        parameters=[content, collaborative, hybrid, parameters],
        code=code_digest(__name__),
        model=model_origin(collaborative.model),
    )
    parts = run_blocks(
        client,
        draw_block,
        [Block(draw, draw + 1) for draw in range(parameters.draws)],
        stage.scratch,
        ingested["tracks"],
        ingested["interactions"],
        (spec.tracks.numeric, spec.tracks.categorical),
        (content, collaborative, hybrid, parameters),
    )
    values = pa.concat_tables([pq.read_table(part) for part in parts])
    return _rows(values, parameters)


def draw_block(
    block: Block,
    tracks: Dataset,
    interactions: Dataset,
    features: tuple[tuple[str, ...], tuple[str, ...]],
    chosen: tuple[ContentParameters, CollaborativeParameters, HybridParameters, ColdParameters],
) -> pa.Table:
    """Measure one draw (`MEASURED`): models and γ in turn, each with its listeners in order."""
    content, collaborative, hybrid, parameters = chosen
    catalogue = tracks.read()
    kept = _taking_part(catalogue["listeners"].to_numpy(), parameters.seed)
    plays = sparse.csr_array(read_plays(interactions, None, catalogue)[:, kept])
    catalogue = catalogue.take(pa.array(kept))
    one = parameters.model_copy(update={"draws": block.stop})
    (draw,) = list(cold_draws(plays, one))[block.start :]
    ours = OurContent(catalogue, *features, content)
    table = ours.table(draw)
    models = Baselines.of(catalogue, *features).models()
    models[OURS] = lambda draw: summed(table, draw)
    measured = [
        _measured(name, None, metric, values[:, m])
        for name, values in measure_cold(iter([draw]), models, parameters).items()
        for m, metric in enumerate(METRICS)
    ]
    curve = exposure_values(draw, catalogue["artist_key"], table, collaborative, hybrid)
    measured += [
        _measured("hybrid", gamma, metric, curve[:, q, m])
        for q, gamma in enumerate(GAMMAS)
        for m, (metric, _) in enumerate(MEASURES)
    ]
    return pa.concat_tables(measured)


def _measured(
    model: str, gamma: float | None, metric: str, values: NDArray[np.float64]
) -> pa.Table:
    n = len(values)
    gammas = pa.repeat(pa.scalar(gamma, pa.float64()), n)
    return pa.table([pa.repeat(model, n), gammas, pa.repeat(metric, n), values], schema=MEASURED)


def _values_of(
    measured: pa.Table, model: str, gamma: float | None, metric: str
) -> NDArray[np.float64]:
    """Return what `_measured` was given, for all draws in turn."""
    at = pc.is_null(pc.field("gamma")) if gamma is None else pc.field("gamma") == gamma
    wanted = (pc.field("model") == model) & (pc.field("metric") == metric) & at
    return np.asarray(measured.filter(wanted)["value"].to_numpy())


def _taking_part(listeners: NDArray[np.integer], seed: int) -> NDArray[np.int64]:
    """Return the keys of at most `MOST_TRACKS` tracks with listeners enough, ascending."""
    enough = np.flatnonzero(listeners >= LEAST_LISTENERS)
    return np.sort(np.random.default_rng(seed).permutation(enough)[:MOST_TRACKS])


def _rows(values: pa.Table, parameters: ColdParameters) -> pa.Table:
    """Summarise what the draws measured as rows of `EVALUATION`."""
    models = values.filter(pc.is_null(pc.field("gamma")))["model"].unique().to_pylist()
    by_model = {
        name: np.column_stack([_values_of(values, name, None, metric) for metric in METRICS])
        for name in models
    }
    users = int((~np.isnan(by_model[OURS]).any(axis=1)).sum())
    rows: list[dict[str, Any]] = []
    for row in cold_table(by_model, OURS, parameters).to_pylist():
        shared = {"model": row["model"], "segment": COLD, "k": row["k"], "users": users}
        named = {"metric": row["metric"], "value": row["value"]}
        rows.append(shared | named | {"ci_low": row["ci_low"], "ci_high": row["ci_high"]})
        if row["model"] != OURS:
            named = {"metric": f"{row['metric']}_ratio", "value": row["ratio"]}
            ends = {"ci_low": row["ratio_low"], "ci_high": row["ratio_high"]}
            rows.append(shared | named | ends)
    return pa.Table.from_pylist([*rows, *_curve(values, parameters)], schema=EVALUATION.schema)


def _curve(values: pa.Table, parameters: ColdParameters) -> list[dict[str, Any]]:
    rows = []
    for metric, k in MEASURES:
        for gamma in GAMMAS:
            means = draw_means(_values_of(values, "hybrid", gamma, metric), parameters.draws)
            if not means.counts.any():
                continue
            found = means.interval()
            rows.append(
                {
                    "model": f"hybrid, γ = {gamma}",
                    "segment": CATALOGUE,
                    "metric": metric,
                    "k": k,
                    "value": found.value,
                    "ci_low": found.low,
                    "ci_high": found.high,
                    "users": int(means.counts.sum()),
                }
            )
    return rows
