"""Assign listeners to variants by a stable hash of experiment and listener, equal here and in SQL.

The MD5 of ``experiment:user_id`` decides, not DuckDB's own hash, whose values may change between
versions. Its first 52 bits are a number in [0, 1) without rounding. The hash includes the
experiment's name, so assignments of different experiments are independent. The SQL is in
warehouse/contract/macros/experiments.sql.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from tasks.dataset.experiments import Experiment, naive, upper_ends

BITS = 52
_HEX = BITS // 4


def bucket(user_id: str, experiment: str) -> float:
    """Return the listener's position in [0, 1) for an experiment."""
    digest = hashlib.md5(f"{experiment}:{user_id}".encode(), usedforsecurity=False)
    return int(digest.hexdigest()[:_HEX], 16) / 2.0**BITS


def variant_of(user_id: str, experiment: Experiment) -> str | None:
    """Return the listener's variant, or None if the listener takes no part."""
    position = variant_position(user_id, experiment.name, upper_ends(experiment.shares))
    return None if position is None else experiment.variants[position].name


def variant_position(user_id: str, experiment: str, ends: Sequence[float]) -> int | None:
    """Return the position of the listener's variant, given the upper end of each range."""
    place = bucket(user_id, experiment)
    return next((position for position, end in enumerate(ends) if place < end), None)


def variant_rows(experiment: Experiment) -> list[dict[str, Any]]:
    """Return the rows of the relation `experiments`."""
    return [
        {
            "experiment": experiment.name,
            "variant": variant.name,
            "is_control": position == 0,
            "share": variant.share,
            "weight": variant.served_weight,
            "preset": variant.preset,
            "model": variant.model,
            "release_id": variant.release,
            "starts_at": naive(experiment.start).item(),
            "ends_at": naive(experiment.end).item(),
        }
        for position, variant in enumerate(experiment.variants)
    ]


def assignment_row(experiment: Experiment) -> dict[str, Any]:
    """Return the row that the macro `variant` reads."""
    return {
        "name": experiment.name,
        "upper_ends": upper_ends(experiment.shares),
        "variants": [variant.name for variant in experiment.variants],
        "weights": [variant.served_weight for variant in experiment.variants],
    }
