"""The two neighbour tables that were learned together: what a release calls its model."""

from typing import NamedTuple

from tasks.lake.keys import fingerprint
from tasks.lake.record import StageResult


class Neighbours(NamedTuple):
    """What the collaborative and the content stage learned from the same listeners."""

    collaborative: StageResult
    content: StageResult

    @property
    def digest(self) -> str:
        """Hash of the tables that lists are made of."""
        return fingerprint(
            weights=self.collaborative["weights"].digest,
            similarity=self.collaborative["similarity"].digest,
            content=self.content["content"].digest,
        )
