"""Until when the feedback reaches, as its tables say."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reach:
    """Until when the feedback reaches (UTC)."""

    as_of: np.datetime64
    """Latest exposure or event."""
    events: np.datetime64 | None
    """Latest event; None: there are none."""
    delays: Mapping[str, np.timedelta64]
    """Time within which 99 of 100 outcomes follow their exposure, by `Metric.outcome`."""
    strays: int = 0
    """Exposures and events dated more than 31 days later: wrong clocks."""
