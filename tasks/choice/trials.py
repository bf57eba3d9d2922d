"""Settings measured in this process, those that share their Gram entries together."""

from collections.abc import Sequence

import numpy as np

from tasks.choice.halving import Measured, Trial
from tasks.choice.training import gathered_by, weight_matrices
from tasks.choice.world import World, draw_targets, measure
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters


def trials(
    world: World,
    interactions: Interactions,
    settings: Sequence[CollaborativeParameters],
    share: float,
    seed: int,
) -> list[Trial]:
    """Measure settings that are gathered by the same, in their order.

    ``interactions`` are those of the world's training rows.
    """
    targets = draw_targets(interactions, share, seed)
    found = []
    for weights in weight_matrices(interactions, targets.tracks, settings):
        values = measure(weights, world, targets, interactions.listeners)
        stored = np.bincount(weights.indices, minlength=interactions.tracks)[targets.tracks]
        found.append(Trial(values, float(stored @ targets.weight)))
    return found


def in_groups(settings: Sequence[CollaborativeParameters]) -> list[list[int]]:
    """Return the positions of the settings that are gathered by the same, group by group."""
    groups: dict[tuple[int, float], list[int]] = {}
    for at, setting in enumerate(settings):
        groups.setdefault(gathered_by(setting), []).append(at)
    return list(groups.values())


def measured_here(world: World, seed: int) -> Measured:
    """Return a `Measured` that works in this process."""
    interactions = Interactions.of(world.training)

    def measured(
        _round: int, settings: Sequence[CollaborativeParameters], share: float
    ) -> list[Trial]:
        found: dict[int, Trial] = {}
        for group in in_groups(settings):
            ours = [settings[at] for at in group]
            found |= zip(group, trials(world, interactions, ours, share, seed), strict=True)
        return [found[at] for at in range(len(settings))]

    return measured
