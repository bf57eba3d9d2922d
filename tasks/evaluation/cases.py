"""Cases: a held-out listener with a history of a certain length, to be ranked and measured.

* as they are: the whole fold-in (`AS_IS`);
* truncated: heavy listeners (`HEAVY`) with a fold-in cut to a length drawn from a segment's range,
  targets unchanged, because a listener of one track cannot be split.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.blend.parameters import Segment, segment_of
from tasks.evaluation.choice import Choice
from tasks.evaluation.split import HEAVY, Split
from tasks.holdout.hashing import mixed

AS_IS = -1
"""In place of a segment's position: the fold-in is not truncated."""

CASES = pa.schema(
    [
        pa.field("listener", pa.int32(), nullable=False),  # row of the Split
        pa.field("segment", pa.int8(), nullable=False),  # position among the segments, or AS_IS
        pa.field("length", pa.int32(), nullable=False),  # tracks of the fold-in that are used
        pa.field("weight", pa.float64(), nullable=False),
        pa.field("popularity", pa.float64(), nullable=False),
        pa.field("gamma", pa.float64(), nullable=False),
        pa.field("half_life", pa.int32(), nullable=False),  # days; 0: all tracks count the same
    ]
)


def is_truncated(segment: Segment) -> bool:
    """Tell whether a segment is measured by truncation; one without an upper end needs none."""
    return segment.max_tracks is not None and segment.max_tracks > 0


def heavy_in(split: Split, segment: Segment) -> NDArray[np.bool_]:
    """Tell which listeners are heavy and have tracks enough to stand for the segment."""
    return split.fold_in >= max(HEAVY, segment.min_tracks)


def light_in(split: Split, segment: Segment) -> NDArray[np.bool_]:
    """Tell which listeners are light and of the segment as they are."""
    top = HEAVY - 1 if segment.max_tracks is None else min(HEAVY - 1, segment.max_tracks)
    return (split.fold_in >= segment.min_tracks) & (split.fold_in <= top)


def some_of(split: Split, wanted: NDArray[np.bool_], limit: int) -> NDArray[np.intp]:
    """Return at most ``limit`` of the wanted listeners, always the same ones, ascending."""
    listeners = np.flatnonzero(wanted)
    order = mixed(split.hashes[listeners], stream=1_000)
    return np.sort(listeners[np.argsort(order, kind="stable")[:limit]])


def tuning_cases(split: Split, segments: tuple[Segment, ...], limit: int) -> pa.Table:
    """Return the cases the grids are tried on: light listeners as they are, heavy ones truncated.

    Sorted by segment; at most ``limit`` listeners of each, taken by hash.
    """
    tables = [CASES.empty_table()]
    for s, segment in enumerate(segments):
        if segment.max_tracks == 0:
            continue
        wanted = some_of(split, heavy_in(split, segment) | light_in(split, segment), limit)
        lengths = split.drawn_lengths(segment.min_tracks, _top(split, segment), s)[wanted]
        if not is_truncated(segment):
            lengths = split.fold_in[wanted]
        tables.append(_cases(wanted, s, lengths, [segment], np.zeros(len(wanted), np.intp), 0.0))
    return pa.concat_tables(tables)


def own_cases(split: Split, segments: tuple[Segment, ...], limit: int) -> pa.Table:
    """Return cases for the grids without truncation: every listener counts for its own segment.

    Sorted by segment; at most ``limit`` listeners of each, taken by hash.
    """
    tables = [CASES.empty_table()]
    of = segment_of(split.fold_in, segments)
    for s, segment in enumerate(segments):
        wanted = some_of(split, (of == s) & (split.fold_in > 0), limit)
        nowhere = np.zeros(len(wanted), np.intp)
        tables.append(_cases(wanted, s, split.fold_in[wanted], [segment], nowhere, 0.0))
    return pa.concat_tables(tables)


def gamma_cases(
    split: Split, listeners: NDArray[np.integer], choice: Choice, gamma: float
) -> pa.Table:
    """Return listeners as they are, with the chosen blend of their segment."""
    lengths = split.fold_in[listeners]
    of = segment_of(lengths, choice.segments)
    return _cases(listeners, AS_IS, lengths, list(choice.segments), of, gamma)


def report_cases(split: Split, choices: tuple[Choice, Choice], limit: int) -> pa.Table:
    """Return the cases of the report: everyone as they are, then ``limit`` heavy ones truncated.

    ``choices[h]`` is what the listeners of half h are reported with: chosen on the other half.
    """
    tables = [as_is_cases(split, choices)]
    for s, segment in enumerate(choices[0].segments):
        if is_truncated(segment):
            heavy = some_of(split, heavy_in(split, segment), limit)
            lengths = split.drawn_lengths(segment.min_tracks, _top(split, segment), s)
            tables.append(_by_half(split, heavy, s, lengths, choices))
    return pa.concat_tables(tables)


def as_is_cases(split: Split, choices: tuple[Choice, Choice]) -> pa.Table:
    """Return everyone as they are; ``choices[h]`` is what the listeners of half h are given."""
    return _by_half(split, np.arange(len(split)), AS_IS, split.fold_in, choices)


def with_half_life(cases: pa.Table, half_life: int) -> pa.Table:
    """Return the cases with strengths of this half-life in days, 0: none."""
    at = cases.column_names.index("half_life")
    field = cases.schema.field(at)
    return cases.set_column(at, field, pa.array(np.full(len(cases), half_life, np.int32)))


def _by_half(
    split: Split,
    listeners: NDArray[np.integer],
    segment: int,
    lengths: NDArray[np.int64],
    choices: tuple[Choice, Choice],
) -> pa.Table:
    """Return cases of the listeners, each half with its own choice."""
    tables = []
    for half, choice in enumerate(choices):
        ours = listeners[split.half[listeners] == half]
        of = segment_of(lengths[ours], choice.segments)
        cases = _cases(ours, segment, lengths[ours], list(choice.segments), of, choice.gamma)
        tables.append(with_half_life(cases, choice.half_life))
    return pa.concat_tables(tables)


def _top(split: Split, segment: Segment) -> int:
    return int(split.fold_in.max(initial=1)) if segment.max_tracks is None else segment.max_tracks


def _cases(
    listeners: NDArray[np.integer],
    segment: int,
    lengths: NDArray[np.integer],
    segments: list[Segment],
    of: NDArray[np.intp],
    gamma: float,
) -> pa.Table:
    n = len(listeners)
    columns = [
        np.asarray(listeners, np.int32),
        np.full(n, segment, np.int8),
        np.asarray(lengths, np.int32),
        np.array([segment.weight for segment in segments])[of],
        np.array([segment.popularity for segment in segments])[of],
        np.full(n, gamma),
        np.zeros(n, np.int32),
    ]
    return pa.table([pa.array(column) for column in columns], schema=CASES)
