"""Cold tracks: hide every play of some tracks and see whether content finds their listeners.

A share of the played tracks is hidden: for every model they are tracks nobody has played. Held-out
listeners, none of whose plays any model has seen, have the rest of their tracks as history; their
hidden tracks are to be found, among the hidden tracks alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from tasks.backtest.draws import draw_means
from tasks.evaluation.metrics import ndcg_at_k, recall_at_k

Scores = NDArray[np.float64]
"""Listeners × hidden tracks of a draw; higher is better."""


class ColdParameters(BaseModel):
    """How tracks are hidden and how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(default=0.1, gt=0.0, lt=1.0)
    """Share of the played tracks that a draw hides."""

    draws: int = Field(default=10, ge=2, le=100)
    """Draws of hidden tracks. Which tracks are hidden moves results more than any model does:
    every model meets the same draws, and intervals are those of means over draws."""

    listeners: int = Field(default=500, ge=1, le=100_000)
    """Held-out listeners of a draw; at most half of all."""

    recall_k: int = Field(default=20, ge=1, le=1_000)
    """Length of the lists that recall is measured on."""

    ndcg_k: int = Field(default=100, ge=1, le=1_000)
    """Length of the lists that NDCG is measured on."""

    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Seeds the draws."""


@dataclass(frozen=True)
class ColdDraw:
    """One draw of hidden tracks and held-out listeners."""

    hidden: NDArray[np.bool_]
    """(tracks,) which are hidden."""
    plays: sparse.csr_array
    """Listeners × tracks that models may learn from: no held-out listener, no hidden track."""
    histories: sparse.csr_array
    """Held-out listeners × tracks, their plays but for hidden tracks."""
    targets: sparse.csr_array
    """Held-out listeners × hidden tracks (columns count hidden tracks only)."""
    seed: int

    @property
    def candidates(self) -> NDArray[np.int64]:
        """Track keys of the hidden tracks, in the order of the columns of `targets`."""
        return np.flatnonzero(self.hidden)

    @property
    def played(self) -> NDArray[np.bool_]:
        """Which tracks models see plays of, or of held-out listeners."""
        return np.asarray(self.plays.sum(axis=0) + self.histories.sum(axis=0) > 0)


def cold_draws(
    plays: sparse.csr_array, parameters: ColdParameters, held_out: NDArray[np.integer] | None = None
) -> Iterator[ColdDraw]:
    """Draw hidden tracks, and listeners unless ``held_out`` rows are given, again and again.

    ``plays`` is listeners × tracks; values do not count. Held-out listeners without any target
    stay in, they have no value.
    """
    rows = sparse.csr_array((np.ones(plays.nnz), plays.indices, plays.indptr), shape=plays.shape)
    played = np.flatnonzero(np.bincount(rows.indices, minlength=rows.shape[1]))
    active = np.flatnonzero(np.diff(rows.indptr) > 1)
    for draw in range(parameters.draws):
        rng = np.random.default_rng([parameters.seed, draw])
        hidden = np.zeros(rows.shape[1], np.bool_)
        hidden[rng.permutation(played)[: max(1, round(parameters.share * len(played)))]] = True
        drawn = rng.permutation(active)[: min(parameters.listeners, len(active) // 2)]
        out = np.sort(drawn if held_out is None else held_out)
        learn = np.ones(rows.shape[0])
        learn[out] = 0.0
        visible = sparse.csr_array(rows.multiply(~hidden))
        visible.eliminate_zeros()
        rest = sparse.csr_array(visible.multiply(learn[:, None]))
        rest.eliminate_zeros()
        targets = sparse.csr_array(rows[out][:, np.flatnonzero(hidden)])
        yield ColdDraw(hidden, rest, sparse.csr_array(visible[out]), targets, seed=draw)


Scorer = Callable[[ColdDraw], Scores]

METRICS = ("recall", "ndcg")
"""The columns of `measure_cold`, in their order."""


def measure_cold(
    draws: Iterator[ColdDraw], models: Mapping[str, Scorer], parameters: ColdParameters
) -> dict[str, NDArray[np.float64]]:
    """Return per model the listeners' recall and NDCG: (draws × listeners, 2), NaN for none."""
    values: dict[str, list[NDArray[np.float64]]] = {name: [] for name in models}
    longest = max(parameters.recall_k, parameters.ndcg_k)
    for draw in draws:
        for name, model in models.items():
            ranked = best_first(model(draw), longest, draw.seed)
            recall = recall_at_k(ranked, draw.targets, parameters.recall_k)
            ndcg = ndcg_at_k(ranked, draw.targets, parameters.ndcg_k)
            values[name].append(np.column_stack([recall, ndcg]))
    return {name: np.concatenate(parts) for name, parts in values.items()}


def best_first(scores: Scores, k: int, seed: int) -> NDArray[np.int32]:
    """Return the columns of the k highest scores per row; ties in one random order for all."""
    shuffled = np.random.default_rng(seed).permutation(scores.shape[1])
    order = np.argsort(-scores[:, shuffled], axis=1, kind="stable")[:, :k]
    return shuffled[order].astype(np.int32)


COLD_TABLE = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("k", pa.int32(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("ci_low", pa.float64(), nullable=False),
        pa.field("ci_high", pa.float64(), nullable=False),
        pa.field("ratio", pa.float64(), nullable=False),  # of the reference model to this one
        pa.field("ratio_low", pa.float64(), nullable=False),
        pa.field("ratio_high", pa.float64(), nullable=False),
    ]
)


def cold_table(
    values: Mapping[str, NDArray[np.float64]], reference: str, parameters: ColdParameters
) -> pa.Table:
    """Return means with paired 95 % intervals over draws as `COLD_TABLE`, worst recall first.

    ``ratio`` is how many times as good the ``reference`` model is as the row's.
    """
    means = {
        name: [draw_means(found[:, m], parameters.draws) for m in range(len(METRICS))]
        for name, found in values.items()
    }
    rows = []
    for name in sorted(values, key=lambda name: means[name][0].pooled):
        for m, k in enumerate((parameters.recall_k, parameters.ndcg_k)):
            own, best = means[name][m], means[reference][m]
            value, ratio = own.interval(), best.ratio_to(own)
            rows.append((name, METRICS[m], k, *value, *ratio))
    return pa.table(list(zip(*rows, strict=True)), schema=COLD_TABLE)
