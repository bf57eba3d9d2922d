"""Who is in which variant: a stable hash of experiment and listener, here and in SQL alike.

The MD5 of ``experiment:user_id`` decides, not DuckDB's own hash, whose values may change between
versions. Its first 52 bits are a number in [0, 1) without rounding. As the experiment's name is
hashed too, one experiment says nothing about the next. The same in SQL is
warehouse/contract/macros/experiments.sql.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from tasks.dataset.experiments import Experiment, naive, upper_ends

BITS = 52
_HEX = BITS // 4


def bucket(user_id: str, experiment: str) -> float:
    """Return the listener's place in [0, 1) for an experiment."""
    digest = hashlib.md5(f"{experiment}:{user_id}".encode(), usedforsecurity=False)
    return int(digest.hexdigest()[:_HEX], 16) / 2.0**BITS


def variant_of(user_id: str, experiment: Experiment) -> str | None:
    """Return the listener's variant, or None for one who does not take part."""
    position = variant_position(user_id, experiment.name, upper_ends(experiment.shares))
    return None if position is None else experiment.variants[position].name


def variant_position(user_id: str, experiment: str, ends: Sequence[float]) -> int | None:
    """Return the position of the listener's variant, given where each variant's part ends."""
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
    """Return what the macro `variant` looks up."""
    return {
        "name": experiment.name,
        "upper_ends": upper_ends(experiment.shares),
        "variants": [variant.name for variant in experiment.variants],
        "weights": [variant.served_weight for variant in experiment.variants],
    }
