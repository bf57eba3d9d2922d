"""How far the temporal split moves the blend that the random split has chosen.

What is hidden at random resembles what was shown, so the random split favours collaborative
neighbours where tastes drift and tracks come out: measured on what is played next, content may
deserve a larger share. Known and new listeners of the temporal split try the whole grid. Their best
blend takes the place of the other one as far as they support it (`evidence`): where times say
nothing, or few listeners are there, nothing moves.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tasks.blend.parameters import HybridParameters, Segment
from tasks.evaluation.cases import own_cases, with_half_life
from tasks.evaluation.choice import Best, Blend, find_best, learned_segments
from tasks.evaluation.choosing import Tuned, tune
from tasks.evaluation.half_life import ALL, chosen_half_life
from tasks.evaluation.rounds import Rounds
from tasks.evaluation.split import Split
from tasks.lake.contracts.stages.temporal import SUPPORTED
from tasks.lake.record import StageResult

Found = dict[int, Best]
"""What measured best, by the ``min_tracks`` of a segment."""


def best_in_time(
    rounds: Rounds,
    split: Split,
    segments: tuple[Segment, ...],
    has_content: bool,
    half_lives: Sequence[int] = (0, 0, 0),
) -> tuple[Found, Found, Found]:
    """Return what measured best on the first half, on the second half, and on all listeners.

    ``segments`` hold the blends that the random split chose, ``half_lives`` what was chosen on
    either half and on all listeners.
    """
    parameters = rounds.parameters
    tuned_with = _tuned(rounds, split, segments, has_content, half_lives)
    found = []
    for half in (0, 1, ALL):
        tuned = tuned_with[half_lives[half]]
        curves, counts = tuned.curves_of(half), tuned.counts(half)
        best = find_best(tuned.points, curves, counts, tuned.segments, parameters)
        pairs = zip(tuned.segments, best, strict=True)
        found.append({segment.min_tracks: one for segment, one in pairs if one is not None})
    return found[0], found[1], found[2]


def _tuned(
    rounds: Rounds,
    split: Split,
    segments: tuple[Segment, ...],
    has_content: bool,
    half_lives: Sequence[int],
) -> dict[int, Tuned]:
    """Measure the grid with every half-life that was chosen, on the halves that chose it."""
    every = own_cases(split, segments, rounds.parameters.tuning_listeners)
    half = split.half[every["listener"].to_numpy()]
    tuned = {}
    for half_life in sorted(set(half_lives)):
        chosen_by = [one for one, chosen in enumerate(half_lives) if chosen == half_life]
        rows = np.isin(half, chosen_by) | (ALL in chosen_by)
        cases = with_half_life(every.filter(pa.array(rows)), half_life)
        part = f"_{half_life}"
        tuned[half_life] = tune(rounds, split, cases, segments, has_content, part)
    return tuned


def moved_segments(segments: tuple[Segment, ...], found: Found) -> tuple[Segment, ...]:
    """Return the segments with their blends moved as far as the listeners support."""
    tuned = [segment for segment in segments if segment.max_tracks != 0]
    best = [found.get(segment.min_tracks) for segment in tuned]
    starts = [Blend(segment.weight, segment.popularity) for segment in tuned]
    moved = [one and one.moved(start) for one, start in zip(best, starts, strict=True)]
    return learned_segments(segments, moved)


def supported_table(segments: tuple[Segment, ...], found: tuple[Found, Found, Found]) -> pa.Table:
    """Return `SUPPORTED`."""
    return pa.Table.from_pylist(
        [
            {
                "half": half,
                "segment": segment.segment,
                "min_tracks": segment.min_tracks,
                "weight": best.blend.weight,
                "popularity": best.blend.prior,
                "support": best.support,
            }
            for half, of_segment in enumerate(found)
            for segment in segments
            if (best := of_segment.get(segment.min_tracks)) is not None
        ],
        schema=SUPPORTED.schema,
    )


def moved_parameters(temporal: StageResult, hybrid: HybridParameters) -> HybridParameters:
    """Return the blend that the random split chose, moved as `temporal_stage` has measured.

    With the half-life that was chosen there, if any.
    """
    found = found_on(temporal["supported"].read())
    half_life = chosen_half_life(temporal["half_lives"].read())
    segments = moved_segments(hybrid.segments, found)
    return hybrid.model_copy(update={"segments": segments, "half_life": half_life})


def found_on(supported: pa.Table, half: int = ALL) -> Found:
    """Return what measured best on a half of the listeners, or on all of them, by `SUPPORTED`."""
    return {
        row["min_tracks"]: Best(Blend(row["weight"], row["popularity"]), row["support"])
        for row in supported.to_pylist()
        if row["half"] == half
    }
