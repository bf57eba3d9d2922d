"""What a collaborative model is: how it finds the neighbours of some tracks, and what that takes.

docs/models.md explains it with an example. Most models are a `CooccurrenceModel`: a formula on the
listeners that two tracks share.

Settings are read before numba may be imported (`flows.environment`), and models have parameters:
so kernels and scipy are imported where a model works.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tasks.collaborative.edges import Edges
from tasks.collaborative.models.scaling import CosineScaling

if TYPE_CHECKING:
    from scipy import sparse

    from tasks.collaborative.interactions import Interactions
    from tasks.collaborative.kernels.cooccurrence import TopSources


class ModelParameters(BaseModel):
    """Base of a model's parameters: frozen, documented field by field, no other fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NeighbourhoodParameters(ModelParameters):
    """Parameters of a model that keeps a number of sources per target."""

    neighbours: int = Field(default=100, ge=1, le=2_000)
    """m: sources per target track. More help on small dense catalogues (MovieLens: 400) and cost
    table size and, for `learned`, time (m² to gather, m³ to solve)."""


P = TypeVar("P", bound=ModelParameters)
N = TypeVar("N", bound=NeighbourhoodParameters)


class CollaborativeModel(ABC, Generic[P]):
    """Finds which tracks in a history speak for a target track, and how much.

    A model holds no state: the same interactions and parameters give the same edges, whichever
    process computes them and whichever other targets are asked for.
    """

    parameters: type[P]
    """The class of its parameters. Their keys stand in ``[collaborative]`` of crossfade.toml."""

    keeps_scale: ClassVar[bool] = False
    """True: weights are at most 1 by definition and are stored as they are. False: they have no
    scale of their own, and the largest is stored as 1."""

    @abstractmethod
    def find(self, interactions: Interactions, targets: NDArray[np.int32], parameters: P) -> Edges:
        """Return weighted edges source → target for the given targets; sources are all tracks.

        No pair twice, no target its own source. Called once for every block of targets.
        """

    def target_cost(self, parameters: P) -> float:  # noqa: ARG002
        """Estimate the additions that a target costs beyond a walk over its co-occurrences.

        Blocks of targets are cut to equal cost.
        """
        return 0.0

    def target_bytes(self, tracks: int, parameters: P) -> int:  # noqa: ARG002
        """Return the memory a target takes while its block is computed; it limits the blocks."""
        return 0

    def has_second_pass(self, parameters: P) -> bool:  # noqa: ARG002
        """Tell whether `second_pass` replaces the edges once those of all tracks are found."""
        return False

    def second_pass(
        self, found: sparse.csc_array, targets: NDArray[np.int32], parameters: P
    ) -> Edges:
        """Return the edges into some targets, given those of all tracks (sources × targets)."""
        raise NotImplementedError

    def finished(self, edges: Edges, listeners: NDArray[np.int64], parameters: P) -> Edges:  # noqa: ARG002
        """Return the final edges of all tracks; ``listeners`` has their number for each track."""
        return edges


class CooccurrenceModel(CollaborativeModel[N]):
    """Keeps each target's best sources by a formula on shared listeners."""

    @abstractmethod
    def scaling(self, interactions: Interactions, parameters: N) -> CosineScaling:
        """Return the formula: what each listener's row weighs, and a factor per track."""

    def weights(
        self,
        interactions: Interactions,  # noqa: ARG002
        scaling: CosineScaling,
        targets: NDArray[np.int32],
        top: TopSources,
        parameters: N,  # noqa: ARG002
    ) -> NDArray[np.float64]:
        """Return the weights of ``top.sources`` (targets × places); by default the formula's."""
        scale = scaling.source[top.sources] * scaling.target[targets][:, None]
        return (top.shared * scaling.user.unit) * scale

    def find(self, interactions: Interactions, targets: NDArray[np.int32], parameters: N) -> Edges:
        """Return the edges from each target's best sources."""
        from tasks.collaborative.kernels.cooccurrence import top_sources

        scaling = self.scaling(interactions, parameters)
        top = top_sources(
            interactions,
            targets,
            scaling.user,
            scaling.source,
            parameters.neighbours,
            scaling.source,
            1,
        )
        weights = self.weights(interactions, scaling, targets, top, parameters)
        return Edges.of_lists(targets, top.sources, weights)
