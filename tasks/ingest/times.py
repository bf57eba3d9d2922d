"""Times of plays: how they are read, which are believed, and until when."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.dataset.files import FilesSpec
from tasks.dataset.times import PER_SECOND, TimeSpec
from tasks.lake.contracts.inputs import NUMBER_NULLS
from tasks.lake.contracts.stages.ingest import TIMES
from warehouse.statements import text_literal

EARLIEST = 31 * 86_400
"""First second since 1970 that is believed, that of February. Zero, which many systems write for
unknown, is in January in every zone, and so are seconds that are taken for milliseconds."""

AHEAD = timedelta(days=1)
"""How far after the run a play may be: clocks and zones differ by less."""

NO_TIME = 0
"""Stands for a time that is not known in the arrays of times."""


def latest_second(now: datetime | None = None) -> int:
    """Return the last second since 1970 at which a play of a run may have been."""
    return int(((now or datetime.now(UTC)) + AHEAD).timestamp())


def moment_of(spec: TimeSpec, text: str) -> str:
    """Return the expression for the seconds since 1970 of a text, NULL if it is no time."""
    if spec.unit:
        return f"number_moment({text}, {PER_SECOND[spec.unit]})"
    if spec.format:
        return f"epoch(try_strptime(trim({text}), {text_literal(spec.format)})::TIMESTAMPTZ)"
    return f"written_moment({text})"


def null_times(spec: FilesSpec) -> list[str]:
    """Return what stands for a missing time, in lower case."""
    return [*NUMBER_NULLS, *(token.strip().lower() for token in spec.nulls)]


class Times(NamedTuple):
    """When a listener played a track, in seconds since 1970 (`NO_TIME`: not known)."""

    first: NDArray[np.uint32]
    last: NDArray[np.uint32]
    records: NDArray[np.int32]
    """How many records each row stands for."""


def times_of(rows: pa.Table) -> Times | None:
    """Return the times of a history's rows, of one record each or of several; None: without."""
    if "played_at" in rows.column_names:
        moments = rows["played_at"].to_numpy()
        return Times(moments, moments, np.ones(len(moments), np.int32))
    if "records" in rows.column_names:
        return Times(*(rows[name].to_numpy() for name in TIMES))
    return None
