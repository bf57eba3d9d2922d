"""The outcome of a run: returned by its flow, shown in the terminal and on the pages."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.lake.record import StageResult


class Outcome(BaseModel):
    """The outcome of a run."""

    model_config = ConfigDict(frozen=True)

    release_id: str
    because: str
    """Why nothing was published; empty if a release was."""
    database: Path
    stages: dict[str, StageResult]
    peak_memory_bytes: int
    said: tuple[str, ...] = ()
    """The run's own lines: counts, warnings, the gate's decision."""

    @property
    def published(self) -> bool:
        """Whether the release is new."""
        return not self.because


def seconds_of(stages: Mapping[str, StageResult]) -> dict[str, float]:
    """Return what each stage took in this run."""
    return {name: 0.0 if result.reused else result.seconds for name, result in stages.items()}
