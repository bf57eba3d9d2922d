"""Times of plays: how they are read, which are believed, and until when."""

from datetime import UTC, datetime, timedelta

from tasks.dataset.files import FilesSpec
from tasks.dataset.times import PER_SECOND, TimeSpec
from tasks.lake.contracts.inputs import NUMBER_NULLS
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
