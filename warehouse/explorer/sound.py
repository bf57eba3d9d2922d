"""What a song, or the songs of a listener, sound like beside the whole catalogue."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st

from warehouse.explorer.snapshot import Snapshot

MOST = 8
"""Features shown, those that count most for the content side."""


@dataclass(frozen=True)
class Feature:
    """A feature beside the same feature of all tracks."""

    label: str
    share: float
    """Share of the catalogue's tracks with a lower value, 0 to 1; ties count half."""

    @property
    def words(self) -> str:
        """The same in words."""
        return f"{self.label}: higher than in {round(100 * self.share)} of 100 tracks"


def sound(snapshot: Snapshot, subject: Literal["track", "listener"], of: str) -> list[Feature]:
    """Return the features of a track, or the medians of those of a listener's tracks.

    Unknown values are left out, as are features with the same value in all tracks.
    """
    scale = _scale(snapshot.release_id, snapshot)
    if not scale:
        return []
    values = snapshot.row(f"features_of_{subject}", columns=list(scale), of=of) or {}
    return [
        Feature(_label(name), _share(value, scale[name]))
        for name, value in values.items()
        if value is not None
    ]


@st.cache_data(max_entries=4, show_spinner=False)
def _scale(release_id: str, _snapshot: Snapshot) -> dict[str, list[float]]:  # noqa: ARG001 - the key
    """Return the percentiles of the shown features."""
    names = [str(row["feature"]) for row in _snapshot.rows("features", most=MOST)]
    found = _snapshot.row("feature_scale", columns=names) if names else None
    return {
        name: points for name, points in (found or {}).items() if points and points[0] < points[-1]
    }


def _share(value: float, percentiles: list[float]) -> float:
    below = np.searchsorted(percentiles, value, side="left")
    not_above = np.searchsorted(percentiles, value, side="right")
    return float(below + not_above) / 2 / len(percentiles)


def _label(column: str) -> str:
    return column.removesuffix("_ms").replace("_", " ")
