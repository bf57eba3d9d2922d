"""Rank cases and measure the lists: one row of values per case, and per model in the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from tasks.blend.model import BlendCatalogue, HybridModel
from tasks.blend.strength import strengths
from tasks.evaluation import beyond_accuracy as beyond
from tasks.evaluation.cases import AS_IS, with_half_life
from tasks.evaluation.metrics import (
    Values,
    average_precision,
    hit_rate,
    hits,
    ndcg,
    ndcg_at_k,
    recall,
    sizes,
)
from tasks.evaluation.models import (
    ANY_ARTIST,
    COLLABORATIVE,
    CONTENT,
    COSINE,
    FIFTY_FIFTY,
    HYBRID,
    POPULARITY,
    TEMPORAL_MODELS,
)
from tasks.evaluation.points import BlendPoints, rank_points, rank_popular
from tasks.evaluation.split import Split

DEPTH = 100
"""Rows of a list that are measured."""
SHOWN = 20
"""Rows of a list that a listener is taken to see."""

ACCURACY = (("recall", 20), ("recall", 50), ("ndcg", DEPTH), ("map", DEPTH), ("hit_rate", SHOWN))
BEYOND = tuple(
    (name, SHOWN)
    for name in (
        "novelty",
        "artist_diversity",
        "tag_diversity",
        "unplayed_share",
        "popularity_lift",
    )
)
SLICE_METRICS = (("recall", 20), ("ndcg", DEPTH))
SLICES = (("0", 0, 0), ("1-5", 1, 5), ("6-50", 6, 50), (">50", 51, None))
"""Targets by how many listeners, held-out ones left out, have played them."""


@dataclass(frozen=True)
class Tags:
    """The tag numbers of every track, ascending: a CSR by track key."""

    indptr: NDArray[np.int64]
    tags: NDArray[np.int32]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> "Tags":
        """Take the lists of strings of TRACKS; null is no tags."""
        lists = column.combine_chunks()
        sizes = lists.value_lengths().fill_null(0).to_numpy().astype(np.int64)
        codes = lists.flatten().dictionary_encode().indices.to_numpy().astype(np.int32)
        track = np.repeat(np.arange(len(sizes)), sizes)
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return cls(indptr, codes[np.lexsort((codes, track))])


@dataclass(frozen=True)
class EvaluationContext:
    """The published model and everything held-out listeners are measured by."""

    model: HybridModel
    cosine: HybridModel
    """The same catalogue with the tracks' similarity alone."""
    listeners: NDArray[np.int32]
    """Listeners of each track, held-out ones left out."""
    users: int
    """Listeners that are not held out."""
    tags: Tags
    split: Split


def metric_name(metric: str, k: int, target_slice: str | None = None) -> str:
    """Return the column of a metric in `report_values`."""
    return f"{metric}@{k}" if target_slice is None else f"{metric}@{k}:{target_slice}"


def hiding_model(
    model: HybridModel, listeners: NDArray[np.integer], hidden: NDArray[np.bool_]
) -> HybridModel:
    """Return a model in which the hidden tracks are unplayed and really unplayed ones are absent.

    Absent, because nobody can have them to find: as candidates they would always be misses.
    """
    seen = np.where(hidden, 0, listeners).astype(np.int32)
    catalogue = BlendCatalogue.from_tracks(
        pa.table({"listeners": seen, "artist_key": model.catalogue.artist_key})
    )
    absent = listeners == 0
    last = np.argsort(absent[catalogue.by_listeners], kind="stable")
    catalogue = replace(
        catalogue,
        by_listeners=catalogue.by_listeners[last],
        eligible=len(absent) - int(np.count_nonzero(absent)),
    )
    return replace(
        model,
        collaborative=model.collaborative.without(hidden | absent),
        content=model.content.without(absent),
        catalogue=catalogue,
    )


def grid_values(
    model: HybridModel, split: Split, cases: pa.Table, points: NDArray[np.float64]
) -> Values:
    """Return NDCG of every case at every point (w, p): cases × points.

    With γ = 0, which is chosen after them: nobody can have an unplayed track to find, so with a
    larger one a prior would look good for no more than pushing unplayed tracks down.
    """
    blends = BlendPoints.of(len(cases), points[:, 0], points[:, 1], 0.0)
    return _ndcg_at_points(model, split, cases, blends)[0]


def half_life_values(
    model: HybridModel, split: Split, cases: pa.Table, half_lives: Sequence[int]
) -> Values:
    """Return NDCG of every case with the strengths of every half-life: cases × half-lives."""
    weight, prior, gamma = (
        cases[name].to_numpy()[:, None] for name in ("weight", "popularity", "gamma")
    )
    points = BlendPoints.of(len(cases), weight, prior, gamma)
    return np.column_stack(
        [
            _ndcg_at_points(model, split, with_half_life(cases, half_life), points)[0]
            for half_life in half_lives
        ]
    )


def gamma_values(
    model: HybridModel,
    hiding: HybridModel,
    split: Split,
    cases: pa.Table,
    gammas: NDArray[np.float64],
    hidden: NDArray[np.bool_],
) -> Values:
    """Return what every γ gains and what it costs, side by side: cases × 2 · gammas.

    ``hiding`` is a `hiding_model`: hidden tracks are no part of a history there, but to be found,
    so a larger γ can gain. As it is nobody has an unplayed track to find, so a larger γ can only
    lose. The gain is the sum of NDCG in both: best where it is worth the loss; where fewer tracks
    are unplayed than were hidden, what hidden ones gain counts in that proportion. The cost shows
    in the NDCG of the tracks that are *not* hidden, where hidden ones stand in their way.
    """
    unplayed = int(model.catalogue.is_cold.sum())
    worth = min(1.0, unplayed / max(int(hidden.sum()), 1))
    weight, prior = (cases[name].to_numpy()[:, None] for name in ("weight", "popularity"))
    points = BlendPoints.of(len(cases), weight, prior, gammas)
    gain, visible = _ndcg_at_points(hiding, split, cases, points, hidden)
    gain = worth * np.nan_to_num(gain) + _ndcg_at_points(model, split, cases, points)[0]
    return np.column_stack([gain, visible])


def _ndcg_at_points(
    model: HybridModel,
    split: Split,
    cases: pa.Table,
    points: BlendPoints,
    hidden: NDArray[np.bool_] | None = None,
) -> tuple[Values, Values]:
    """Return NDCG of all targets, and of those that are not hidden: cases × points each."""
    indptr, tracks = _histories(split, cases)
    strong = history_strengths(split, cases)
    if hidden is not None:
        strong = None if strong is None else strong[~hidden[tracks]]
        indptr, tracks = _leave_out(indptr, tracks, hidden)
    targets = _targets(split, cases, len(model.catalogue))
    lists = rank_points(model, indptr, tracks, points, DEPTH, strong)
    every = _ndcg_of(lists, targets, indptr)
    if hidden is None:
        return every, every
    visible = sparse.csr_array(targets.multiply(~hidden))
    visible.eliminate_zeros()
    return every, _ndcg_of(lists, visible, indptr)


def _ndcg_of(
    lists: NDArray[np.int32], targets: sparse.csr_array, indptr: NDArray[np.int64]
) -> Values:
    values = [ndcg_at_k(lists[:, q], targets, DEPTH) for q in range(lists.shape[1])]
    values_by_case = np.column_stack(values)
    values_by_case[np.diff(indptr) == 0] = np.nan
    return values_by_case


def report_values(context: EvaluationContext, cases: pa.Table) -> pa.Table:
    """Measure every model on every case.

    Columns: listener, segment, model (position in `MODELS`), one float64 per `metric_name`, and
    ``shown``, the tracks a listener sees. What goes beyond accuracy, the slices and the lists are
    there for listeners as they are.
    """
    return list_values(context, cases, lists_by_model(context, cases))


def list_values(
    context: EvaluationContext, cases: pa.Table, lists_of: Mapping[str, NDArray[np.int32]]
) -> pa.Table:
    """Measure the lists (cases × DEPTH) of every named model, one of `TEMPORAL_MODELS`.

    Columns as in `report_values`.
    """
    indptr, tracks = _histories(context.split, cases)
    targets = _targets(context.split, cases, len(context.model.catalogue))
    wanted = sizes(targets)
    as_is = cases["segment"].to_numpy() == AS_IS
    slices = _slices(context, targets, as_is)
    tables = []
    for name, lists in lists_of.items():
        columns: dict[str, NDArray[np.generic] | pa.Array] = {
            "listener": cases["listener"].to_numpy(),
            "segment": cases["segment"].to_numpy(),
            "model": np.full(len(cases), TEMPORAL_MODELS.index(name), np.int8),
        }
        found = hits(lists, targets)
        for metric, k in ACCURACY:
            columns[metric_name(metric, k)] = _METRICS[metric](found, wanted, k)
        for part in slices:
            some = found & part.among[lists]  # beyond a short list nothing was found
            for metric, k in SLICE_METRICS:
                column = metric_name(metric, k, part.name)
                columns[column] = _METRICS[metric](some, part.wanted, k)
        columns |= _beyond(context, lists[:, :SHOWN], indptr, tracks, as_is)
        shown = np.where(as_is[:, None], lists[:, :SHOWN], -1)
        ends = np.concatenate([[0], np.cumsum((shown >= 0).sum(axis=1))]).astype(np.int32)
        columns["shown"] = pa.ListArray.from_arrays(pa.array(ends), pa.array(shown[shown >= 0]))
        tables.append(pa.table(columns))
    return pa.concat_tables(tables)


def lists_by_model(context: EvaluationContext, cases: pa.Table) -> dict[str, NDArray[np.int32]]:
    """Rank the cases with every model of `MODELS`: name → cases × DEPTH."""
    model = context.model
    indptr, tracks = _histories(context.split, cases)
    n = len(cases)
    alone = BlendPoints.of(n, weight=1.0, prior=0.0, gamma=0.0)
    weight, prior, gamma = (
        cases[name].to_numpy()[:, None] for name in ("weight", "popularity", "gamma")
    )
    blends = {
        COLLABORATIVE: alone,
        CONTENT: BlendPoints.of(n, weight=0.0, prior=0.0, gamma=0.0),
        FIFTY_FIFTY: BlendPoints.of(n, weight=0.5, prior=0.0, gamma=model.parameters.gamma),
        HYBRID: BlendPoints.of(n, weight, prior, gamma),
        ANY_ARTIST: BlendPoints.of(n, weight, prior, gamma, artist_factor=False),
    }
    points = BlendPoints.side_by_side([*blends.values()])
    strong = history_strengths(context.split, cases)
    lists = rank_points(model, indptr, tracks, points, DEPTH, strong)
    return {
        POPULARITY: rank_popular(model.catalogue, indptr, tracks, DEPTH),
        COSINE: rank_points(context.cosine, indptr, tracks, alone, DEPTH, strong)[:, 0],
        **{name: lists[:, q] for q, name in enumerate(blends)},
    }


@dataclass(frozen=True)
class _Slice:
    """Tracks by how many listeners they have, and how many of them each case has to find."""

    name: str
    among: NDArray[np.bool_]
    wanted: NDArray[np.int64]


def _slices(
    context: EvaluationContext, targets: sparse.csr_array, as_is: NDArray[np.bool_]
) -> list[_Slice]:
    """Return the popularity slices; a truncated case has nothing to find in them."""
    slices = []
    row = np.repeat(np.arange(targets.shape[0]), sizes(targets))
    for name, low, high in SLICES:
        among = (context.listeners >= low) & (
            context.listeners <= (np.inf if high is None else high)
        )
        wanted = np.bincount(row, among[targets.indices], minlength=len(as_is)).astype(np.int64)
        slices.append(_Slice(name, among, wanted * as_is))
    return slices


def _beyond(
    context: EvaluationContext,
    shown: NDArray[np.int32],
    indptr: NDArray[np.int64],
    tracks: NDArray[np.int32],
    as_is: NDArray[np.bool_],
) -> dict[str, Values]:
    """Measure what the lists of listeners as they are show."""
    catalogue = context.model.catalogue
    seen = shown[as_is]
    history = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    own = np.bincount(
        history, weights=catalogue.popularity[tracks], minlength=len(indptr) - 1
    ) / np.maximum(np.diff(indptr), 1)
    values = {
        "novelty": beyond.mean_along_lists(
            seen, beyond.self_information(context.listeners, context.users)
        ),
        "artist_diversity": beyond.artist_diversity(seen, catalogue.artist_key),
        "tag_diversity": beyond.tag_diversity(seen, context.tags.indptr, context.tags.tags),
        "unplayed_share": beyond.mean_along_lists(seen, catalogue.is_cold.astype(np.float64)),
        "popularity_lift": beyond.mean_along_lists(seen, catalogue.popularity) - own[as_is],
    }
    columns = {}
    for metric, k in BEYOND:
        column = np.full(len(shown), np.nan)
        column[as_is] = values[metric]
        columns[metric_name(metric, k)] = column
    return columns


_METRICS = {
    "recall": recall,
    "ndcg": ndcg,
    "map": average_precision,
    "hit_rate": hit_rate,
}


def _histories(split: Split, cases: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    return split.histories(cases["listener"].to_numpy(), cases["length"].to_numpy())


def history_strengths(split: Split, cases: pa.Table) -> NDArray[np.uint8] | None:
    """Return how much each track of the cases' histories counts; None: all the same."""
    half_life = cases["half_life"].to_numpy()
    if not half_life.any():
        return None
    listeners, lengths = cases["listener"].to_numpy(), cases["length"].to_numpy()
    days = split.history_days(listeners, lengths)
    if days is None:
        raise ValueError("a half-life needs the days of the plays")
    return strengths(np.concatenate([[0], np.cumsum(lengths)]), days, half_life)


def _targets(split: Split, cases: pa.Table, tracks: int) -> sparse.csr_array:
    return _matrix(*split.to_find(cases["listener"].to_numpy()), tracks)


def _matrix(indptr: NDArray[np.int64], indices: NDArray[np.int32], tracks: int) -> sparse.csr_array:
    return sparse.csr_array(
        (np.ones(len(indices), np.int8), indices, indptr), shape=(len(indptr) - 1, tracks)
    )


def _leave_out(
    indptr: NDArray[np.int64], tracks: NDArray[np.int32], hidden: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the histories without the hidden tracks."""
    kept = ~hidden[tracks]
    row = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))[kept]
    sizes = np.bincount(row, minlength=len(indptr) - 1)
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), tracks[kept]
