"""Learned neighbourhoods: one small ridge regression per target track.

For each target j the m most similar tracks N (cosine with weighted listener rows) are its
candidates, and their weights solve (G_NN + Λ) b = g_Nj with G = XᵀDX and
Λ_ii = λ + p · G_ii. This is SLIM with feature selection (Ning & Karypis 2011) in the closed form
of EASE (Steck 2019) with the diagonal of EDLAE (Steck 2020), restricted to a neighbourhood.

A ridge weight is a partial effect: what a source says once all the others are known. Of a listener
with few known tracks most are not, and there the cosine of two tracks alone predicts better. So a
share of every target's weights may be spread over its candidates by cosine (docs/models.md).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tasks.collaborative.edges import Edges
from tasks.collaborative.models.base import CooccurrenceModel, NeighbourhoodParameters
from tasks.collaborative.models.scaling import CosineScaling, powers

if TYPE_CHECKING:
    from scipy import sparse

    from tasks.collaborative.interactions import Interactions
    from tasks.collaborative.kernels.cooccurrence import TopSources

Exponent = Annotated[float, Field(ge=0.0, le=1.0)]


class LearnedParameters(NeighbourhoodParameters):
    """Parameters of `learned`."""

    ridge: float = Field(default=30.0, gt=0.0, le=1e6)
    """λ in listeners, the constant part of Λ = λ + popularity_ridge · G_ii. Larger trusts rarely
    shared listeners less. EASE (Steck 2019)."""

    popularity_ridge: float = Field(default=0.5, ge=0.0, le=10.0)
    """The share of a source's own Gram entry added to Λ, so that popular sources do not explain
    everything: the dropout diagonal of EDLAE (Steck 2020)."""

    marginal_share: float = Field(default=0.0, ge=0.0, le=1.0)
    """The share of a target's weights that follows the cosine of its candidates: above 0 helps
    listeners with few tracks and costs those with many."""

    non_negative: bool = True
    """Allow only positive evidence, as SLIM does (Ning & Karypis 2011). Helps on sparse histories,
    where negative weights are noise; dense ones (MovieLens) want signed weights."""

    user_exponent: Exponent = 0.5
    """A listener's row counts n_u^-exponent: long histories say less about each pair in them."""

    target_exponent: Exponent = 0.1
    """`learned`: weights are multiplied by n_target^-exponent: above 0 lifts less known tracks."""

    source_exponent: Exponent = 0.0
    """`learned`: weights are multiplied by n_source^-exponent: above 0 a popular track in the
    history says less."""

    two_step: float = Field(default=0.0, ge=0.0, le=4.0)
    """Share of the squared weight matrix added to it: tracks related through a third one. Helps
    where tracks have few listeners; costs a larger table."""

    two_step_neighbours: int = Field(default=300, ge=1, le=2_000)
    """Sources per target kept after the second step, the largest by absolute value."""


class Learned(CooccurrenceModel[LearnedParameters]):
    """Solves one ridge problem per target."""

    parameters = LearnedParameters

    def scaling(self, interactions: Interactions, parameters: LearnedParameters) -> CosineScaling:
        """Return the factors of the cosine that picks the candidates: G_ij / √(G_ii · G_jj)."""
        user = interactions.weights_by_length(parameters.user_exponent)
        root = powers(interactions.column_sums(user.whole), -0.5)
        return CosineScaling(user, root, root)

    def weights(
        self,
        interactions: Interactions,
        scaling: CosineScaling,
        targets: NDArray[np.int32],  # noqa: ARG002
        top: TopSources,
        parameters: LearnedParameters,
    ) -> NDArray[np.float64]:
        """Return the weights of ``top.sources`` that solve for their targets.

        ``top.shared`` is g_Nj in whole units. The Gram entries of all these targets are in memory
        at once.
        """
        from tasks.collaborative.kernels.gram import gram_triangles

        triangles = gram_triangles(interactions, scaling.user, top.sources)
        return self.solved(interactions, scaling, top, triangles, parameters)

    def solved(
        self,
        interactions: Interactions,
        scaling: CosineScaling,
        top: TopSources,
        triangles: NDArray[np.int32],
        parameters: LearnedParameters,
    ) -> NDArray[np.float64]:
        """Return the weights that solve for these targets, given their Gram entries."""
        from tasks.collaborative.kernels.solve import inplace_solve_all

        user = scaling.user
        diagonal = interactions.column_sums(user.whole) * user.unit
        ridge = parameters.ridge + (1.0 + parameters.popularity_ridge) * diagonal
        weights = top.shared.astype(np.float64) * user.unit
        inplace_solve_all(
            triangles, user.unit, ridge, top.sources, weights, parameters.non_negative
        )
        if parameters.marginal_share > 0:
            cosine = top.shared * scaling.source[top.sources]
            _inplace_share(weights, cosine, parameters.marginal_share)
        return weights

    def target_cost(self, parameters: LearnedParameters) -> float:
        """Return the additions of a Cholesky factorisation."""
        m = parameters.neighbours
        return m**3 / 6 + m**2

    def target_bytes(self, tracks: int, parameters: LearnedParameters) -> int:
        """Return the size of a target's Gram entries."""
        from tasks.collaborative.kernels.gram import triangle_bytes

        return triangle_bytes(min(parameters.neighbours, tracks))

    def has_second_pass(self, parameters: LearnedParameters) -> bool:
        """Tell whether a second step is wanted."""
        return parameters.two_step > 0

    def second_pass(
        self, found: sparse.csc_array, targets: NDArray[np.int32], parameters: LearnedParameters
    ) -> Edges:
        """Add the weights of two steps along the graph."""
        from tasks.collaborative.kernels.second_order import two_step_edges

        share, top = parameters.two_step, parameters.two_step_neighbours
        return two_step_edges(found, targets, share, top)

    def finished(
        self, edges: Edges, listeners: NDArray[np.int64], parameters: LearnedParameters
    ) -> Edges:
        """Return the weights times n_target^-target_exponent · n_source^-source_exponent."""
        target = powers(listeners, -parameters.target_exponent)
        source = powers(listeners, -parameters.source_exponent)
        scale = target[edges.target] * source[edges.source]
        return replace(edges, weight=edges.weight * scale)


def _inplace_share(weights: NDArray[np.float64], cosine: NDArray[np.float64], share: float) -> None:
    """Let ``share`` of each target's weights, by absolute value, follow ``cosine`` instead.

    Both are targets × candidates; a factor per target does not matter in ``cosine``.
    """
    total = cosine.sum(axis=1)
    mass = share * np.abs(weights).sum(axis=1)
    weights *= 1.0 - share
    weights += np.divide(mass, total, out=np.zeros_like(mass), where=total > 0)[:, None] * cosine
