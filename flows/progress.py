"""How far a stage is, as a progress artifact in the Prefect UI."""

import logging
import time
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from tasks.lake.blocks import Progress

UPDATE_SECONDS = 2.0
"""Least time between two updates of a progress artifact: each is a call to the API."""

logger = logging.getLogger("crossfade")


def progress_page(stage: str) -> Progress:
    """Return a callback that updates a progress artifact in the Prefect UI."""
    artifact, shown = None, 0.0

    def update(done: int, of: int) -> None:
        nonlocal artifact, shown
        if artifact is not None and done < of and time.monotonic() - shown < UPDATE_SECONDS:
            return
        shown = time.monotonic()
        percent = 100.0 * done / max(of, 1)
        try:
            if artifact is None:
                artifact = create_progress_artifact(
                    progress=percent,
                    key=f"progress-{stage.replace('_', '-')}",
                    description=f"{stage}: blocks on Dask",
                )
            else:
                update_progress_artifact(cast(UUID, artifact), percent)
        except Exception as error:  # reporting must not stop the work
            logger.warning("%s: the progress page could not be updated (%s)", stage, error)

    return update
