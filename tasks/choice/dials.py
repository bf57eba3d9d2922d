"""The dials of the learned model, and which of them the settings pin; imports nothing heavy."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tasks.collaborative.parameters import CollaborativeParameters

LADDERS: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "non_negative": (False, True),
        "neighbours": (50, 100, 200, 400),
        "target_exponent": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3),
        "popularity_ridge": (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0),
        "user_exponent": (0.0, 0.25, 0.5, 0.75),
        "two_step": (0.0, 0.25, 0.5, 1.0),
        "source_exponent": (0.0, 0.1, 0.2, 0.3, 0.4),
        "marginal_share": (0.0, 0.15, 0.3, 0.5, 0.7),
    }
)
"""Values of every dial but λ, ascending."""

DIALS = ("ridge", *LADDERS)
"""All that is searched."""


def pinned_in(start: CollaborativeParameters) -> tuple[str, ...]:
    """Return the dials that were set, which no choice moves."""
    return tuple(sorted(set(DIALS) & start.model_fields_set))
