"""Jaccard similarity of two tracks' listeners: |i ∩ j| / (|i ∪ j| + smoothing)."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from tasks.collaborative.edges import Edges
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.models.base import CollaborativeModel, NeighbourhoodParameters


class JaccardParameters(NeighbourhoodParameters):
    """Parameters of `jaccard`."""

    smoothing: float = Field(default=0.0, ge=0.0)
    """Listeners added to every union, so that two tracks with one listener are not equal."""


class Jaccard(CollaborativeModel[JaccardParameters]):
    """Keeps each target's best sources by Jaccard similarity; equal ones by the lower key."""

    parameters = JaccardParameters
    keeps_scale: ClassVar[bool] = True

    def find(
        self,
        interactions: Interactions,
        targets: NDArray[np.int32],
        parameters: JaccardParameters,
    ) -> Edges:
        """Return the best sources of each target."""
        plays = sparse.csr_array(
            (
                np.ones(interactions.plays),
                interactions.user_tracks.astype(np.int32),
                interactions.user_starts,
            ),
            shape=(interactions.users, interactions.tracks),
        )
        listeners = interactions.listeners
        together = (plays.T @ plays[:, targets]).toarray()
        union = listeners[:, None] + listeners[targets][None, :] - together
        weights = together / np.maximum(union + parameters.smoothing, 1.0)
        weights[targets, np.arange(len(targets))] = 0.0
        order = np.argsort(-weights, axis=0, kind="stable")[: parameters.neighbours]
        sources = np.sort(order, axis=0).T.astype(np.int32)
        return Edges.of_lists(targets, sources, np.take_along_axis(weights.T, sources, axis=1))
