"""What a collaborative model is: how it finds the neighbours of some tracks, and what that takes.

docs/models.md explains it with an example. Most models are a `CooccurrenceModel`: a formula on the
listeners that two tracks share.

Settings are read before numba may be imported (`flows.environment`), and models have parameters:
so kernels and scipy are imported where a model works.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

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
    """Parameters of a model that keeps a number of neighbours per track."""

    neighbours: int = Field(default=100, ge=1, le=2_000)
    """m: sources per target track; for `rp3beta` and `bm25`, targets per source track. More help on
    small dense catalogues (MovieLens: 400) and cost table size and, for `learned`, time (m² to
    gather, m³ to solve)."""


Side = Literal["target", "source"]


class SideParameters(NeighbourhoodParameters):
    """Parameters of a model that keeps the neighbours of either side of a pair."""

    neighbours_of: Side = "source"
    """`rp3beta`, `bm25`: keep each source's best targets or each target's best sources. These
    formulas leave popular targets the highest sums: where a long tail of tracks has few listeners
    (music), most histories would have no edge to a popular target that kept only its best sources.
    Small dense catalogues (MovieLens) want `target`."""


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

        No pair twice, no target its own source. Called once for every block of targets. A model
        may return the edges out of the given tracks instead, for every block alike.
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
    """Keeps every track's best neighbours by a formula on shared listeners."""

    @abstractmethod
    def scaling(self, interactions: Interactions, parameters: N) -> CosineScaling:
        """Return the formula: what each listener's row weighs, and a factor per track."""

    def weights(
        self,
        interactions: Interactions,  # noqa: ARG002
        scaling: CosineScaling,
        tracks: NDArray[np.int32],
        top: TopSources,
        parameters: N,
    ) -> NDArray[np.float64]:
        """Return the weights of ``top.sources`` (tracks × places); by default the formula's."""
        own, other = self._sides(scaling, parameters)
        scale = other[top.sources] * own[tracks][:, None]
        return (top.shared * scaling.user.unit) * scale

    def neighbours_of(self, parameters: N) -> Side:
        """Tell whose neighbours are kept: each target's best sources, or each source's targets.

        It is what `SideParameters` say; without them, the target's.
        """
        return parameters.neighbours_of if isinstance(parameters, SideParameters) else "target"

    def ranking(self, scaling: CosineScaling, parameters: N) -> NDArray[np.float64]:
        """Return the factor by which the neighbours of any track are ranked."""
        return self._sides(scaling, parameters)[1]

    def edges(
        self,
        interactions: Interactions,
        scaling: CosineScaling,
        tracks: NDArray[np.int32],
        top: TopSources,
        parameters: N,
    ) -> Edges:
        """Return the edges between some tracks and their neighbours ``top.sources``."""
        weights = self.weights(interactions, scaling, tracks, top, parameters)
        into = Edges.of_lists(tracks, top.sources, weights)
        return into if self.neighbours_of(parameters) == "target" else into.reversed()

    def find(self, interactions: Interactions, targets: NDArray[np.int32], parameters: N) -> Edges:
        """Return the edges between the given tracks and their neighbours."""
        from tasks.collaborative.kernels.cooccurrence import top_sources

        scaling = self.scaling(interactions, parameters)
        factor = self.ranking(scaling, parameters)
        top = top_sources(
            interactions, targets, scaling.user, factor, parameters.neighbours, factor, 1
        )
        return self.edges(interactions, scaling, targets, top, parameters)

    def _sides(
        self, scaling: CosineScaling, parameters: N
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the factors of the tracks whose neighbours are kept, and of the neighbours."""
        if self.neighbours_of(parameters) == "target":
            return scaling.target, scaling.source
        return scaling.source, scaling.target
