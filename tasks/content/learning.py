"""Learn from how people listen: what each feature counts, and where content puts a track.

Two things are fitted on played tracks only: shares of the features, so that their weighted
similarity follows the similarity of the tracks' listeners; and a linear map from features to the
space of listening, with an effect of each artist on top. The map also places unplayed tracks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import nnls
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no types

from tasks.content.features import FeatureMatrix
from tasks.content.listening import Listening

PAIR_TRACKS = 1_200
"""Tracks whose pairs are compared to learn the shares of features."""

PRIOR_TRACKS = 200.0
"""The shipped shares count like this many played tracks."""

MAP_RIDGE = 0.5
"""λ of the map from features: in played tracks that carry a feature and nothing else."""

ARTIST_RIDGE = 1.0
"""λ of an artist's effect: with one trusted track, half of what is left over is the artist's."""

ROUNDS = 3
"""Rounds of fitting the map and the artists in turn."""


def feature_shares(
    matrix: FeatureMatrix,
    artists: NDArray[np.int32] | None,
    listening: Listening,
    shipped: NDArray[np.float64],
    seed: int,
) -> NDArray[np.float64]:
    """Return non-negative shares summing to 1, the artist's first if ``artists`` is given.

    Over pairs of played tracks, listeners' similarity is regressed on the similarity by each
    feature (non-negative least squares with intercept), drawn towards ``shipped`` shares as far
    as there are few tracks to learn from.
    """
    chosen = _tracks_to_compare(artists, listening, seed)
    with threadpool_limits(limits=1):
        target = _cosines(listening.positions[chosen])
        confidence = listening.confidence[chosen]
        columns = [] if artists is None else [_same(artists[chosen])]
        columns += [(block[chosen] @ block[chosen].T).toarray() for block in matrix.blocks]
        upper = np.triu_indices(len(chosen), 1)
        weight = np.outer(confidence, confidence)[upper]
        similarity = np.stack([column[upper] for column in columns])
        moments, answer = _moments(similarity, target[upper], weight)
        # Scaled so that the shipped shares, times one number, fit best: the prior's own scale.
        scale = max(float(shipped @ answer) / max(float(shipped @ moments @ shipped), 1e-12), 0.0)
        pull = PRIOR_TRACKS / max(float(confidence.sum()), 1e-9)
        drawn = np.diag(np.diag(moments) * pull + 1e-12)
        root = np.linalg.cholesky(moments + drawn)
        shares, _ = nnls(root.T, np.linalg.solve(root, answer + drawn @ shipped * scale))
    return shares / shares.sum() if shares.sum() > 0 else shipped


def _tracks_to_compare(
    artists: NDArray[np.int32] | None, listening: Listening, seed: int
) -> NDArray[np.int64]:
    """Draw played tracks, half of them as whole artists, so that same-artist pairs are there."""
    played = np.flatnonzero(listening.listeners)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(played)
    if artists is None:
        return np.sort(drawn[:PAIR_TRACKS])
    rank = rng.permutation(int(artists.max()) + 1)
    known = played[artists[played] >= 0]
    together = known[np.argsort(rank[artists[known]], kind="stable")][: PAIR_TRACKS // 2]
    rest = drawn[~np.isin(drawn, together)][: PAIR_TRACKS - len(together)]
    return np.sort(np.concatenate([together, rest]))


def _cosines(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.maximum(np.linalg.norm(positions, axis=1, keepdims=True), 1e-12)
    return np.asarray((positions / lengths) @ (positions / lengths).T)


def _same(artists: NDArray[np.int32]) -> NDArray[np.float64]:
    same = (artists[:, None] == artists[None, :]) & (artists >= 0)[:, None]
    return np.asarray(same, dtype=np.float64)


def _moments(
    columns: NDArray[np.float64], target: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weighted covariances of the columns, and of the columns with the target."""
    total = max(float(weight.sum()), 1e-12)
    centred = columns - (columns @ weight / total)[:, None]
    weighted = centred * weight
    return weighted @ centred.T / total, weighted @ target / total


@dataclass(frozen=True)
class Placement:
    """Where content puts every track in the space of listening."""

    positions: NDArray[np.float64]
    """(n, rank); zero for tracks of which nothing is known."""
    weights: NDArray[np.float64]
    """(columns, rank), the map."""
    constant: NDArray[np.float64]
    """(rank,), what the map adds."""
    effects: NDArray[np.float64]
    """(n, rank), what each track's artist adds to the map."""


def map_to_listening(
    features: sparse.csr_array, artists: NDArray[np.int32] | None, listening: Listening
) -> Placement:
    """Fit the ridge regression of positions on ``features`` (n × columns) and artist effects.

    Each track weighs its confidence; map and effects are fitted in turn (backfitting).
    """
    weight = listening.confidence
    total = weight.sum()
    effects = np.zeros_like(listening.positions)
    with threadpool_limits(limits=1):
        mean = np.asarray(weight @ features) / total
        weighted = sparse.csr_array(features.multiply(weight[:, None]))
        products = (features.T @ weighted).toarray() - total * np.outer(mean, mean)
        products[np.diag_indices_from(products)] += MAP_RIDGE
        factor = cho_factor(products, lower=True, overwrite_a=True)
        for _ in range(ROUNDS if artists is not None else 1):
            rest = listening.positions - effects
            centre = weight @ rest / total
            answer = weighted.T @ rest - total * np.outer(mean, centre)
            weights = cho_solve(factor, answer)
            constant = centre - mean @ weights
            by_content = features @ weights + constant
            if artists is not None:
                effects = _artist_effects(artists, weight, listening.positions - by_content)
    known = (np.diff(features.indptr) > 0) | (effects != 0).any(axis=1)
    positions = np.where(known[:, None], by_content + effects, 0.0)
    return Placement(positions, weights, constant, effects)


def _artist_effects(
    artists: NDArray[np.int32], weight: NDArray[np.float64], rest: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return per track what its artist's tracks have in common beyond their content."""
    known = np.flatnonzero(artists >= 0)
    members = sparse.csr_array(
        (np.ones(len(known)), (artists[known], known)),
        shape=(int(artists.max()) + 1, len(artists)),
    )
    sums = np.asarray(members @ (rest * weight[:, None]))
    effects = sums / (np.asarray(members @ weight) + ARTIST_RIDGE)[:, None]
    return np.where((artists >= 0)[:, None], effects[artists], 0.0)


def placement_shares(
    features: sparse.csr_array, widths: Sequence[int], placement: Placement, with_artist: bool
) -> NDArray[np.float64]:
    """Return each feature's share in the spread of placed positions, the artist's first.

    ``widths`` tells how many columns of ``features`` each feature has.
    """
    spread = [float(placement.effects.var(axis=0).sum())] if with_artist else []
    start = 0
    for width in widths:
        part = features[:, start : start + width] @ placement.weights[start : start + width]
        spread.append(float(part.var(axis=0).sum()))
        start += width
    total = sum(spread)
    return np.array(spread) / total if total > 0 else np.full(len(spread), 1 / len(spread))
