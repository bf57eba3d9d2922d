"""What a run came to: what its flow returns, and what the terminal and the pages show."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.lake.record import StageResult


class Outcome(BaseModel):
    """What a run came to."""

    model_config = ConfigDict(frozen=True)

    release_id: str
    because: str
    """Why nothing was published and the current release stays; empty where one was published."""
    database: Path
    stages: dict[str, StageResult]
    peak_memory_bytes: int

    @property
    def published(self) -> bool:
        """Whether the release is new."""
        return not self.because
