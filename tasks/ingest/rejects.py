"""Rows that are set aside: collected with file, record, reason and raw text, never dropped."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from tasks.ingest.limits import IngestLimits
from tasks.ingest.plain_text import encoding_that_fits
from tasks.ingest.reasons import FEEDBACK_REASONS, REASONS
from tasks.ingest.records import Rejected, raw_text
from tasks.lake.contracts.quality import REJECTED_ROWS
from tasks.lake.tombstones import NOBODY, Tombstones
from warehouse.errors import InputError

_SHOWN = 3
_LONGEST = 80

_UNSPLIT = frozenset(
    {
        "too_few_fields",
        "too_many_fields",
        "open_quote",
        "text_after_quote",
        "not_utf8",
        "not_json",
        "nul_byte",
    }
)
"""Reasons of rows in which it is not known where the listener's id is."""


@dataclass
class FileReport:
    """What one input file gave."""

    name: str
    path: Path
    records: int = 0
    """Records after the header, good and bad."""
    rejected: list[Rejected] = field(default_factory=list)
    """Rejected rows to show: all of them in a file that is used, some of one that is not."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Reason → number of rejected rows, exact."""
    tombstones: Tombstones = NOBODY
    """Who was forgotten: rows that name one of them are counted and not kept."""
    forgotten: int = 0
    """Bad rows of forgotten listeners; they are not among the rejected ones."""

    @property
    def bad(self) -> int:
        """The number of rejected rows."""
        return self.reasons.total()

    @property
    def unusable(self) -> int:
        """The number of bad rows, those of forgotten listeners included."""
        return self.bad + self.forgotten

    def cap(self, limits: IngestLimits, records: int | None = None) -> int:
        """Return how many rejected rows of the file are still bearable."""
        share = limits.reject_share * (self.records if records is None else records)
        return max(limits.reject_rows, int(share))

    def reject(
        self, rows: Iterable[Rejected], cap: int, counts: Mapping[str, int] | None = None
    ) -> None:
        """Add rejected rows, and keep up to ``cap`` and one more to show.

        ``counts`` are the exact numbers where ``rows`` are only some.
        """
        rows = list(rows)
        self.reasons.update(Counter(row.reason for row in rows) if counts is None else counts)
        if self.tombstones:
            named = [self._names_forgotten(row) for row in rows]
            gone = Counter(
                row.reason for row, is_named in zip(rows, named, strict=True) if is_named
            )
            self.reasons -= gone
            self.forgotten += gone.total()
            rows = [row for row, is_named in zip(rows, named, strict=True) if not is_named]
        self.rejected += rows[: max(0, cap + 1 - len(self.rejected))]

    def _names_forgotten(self, row: Rejected) -> bool:
        return self.tombstones.name(row.raw, row.reason not in _UNSPLIT)

    def forget(self) -> None:
        """Start over: the file is read again in another way."""
        self.records = 0
        self.forgotten = 0
        self.rejected.clear()
        self.reasons.clear()

    def check_reject_limit(self, limits: IngestLimits) -> None:
        """Raise InputError when too many records, or all of them, are rejected."""
        bad, total = self.bad, self.records
        if bad <= self.cap(limits) and (bad < total or not bad):
            return
        reason, times = self.reasons.most_common(1)[0]
        examples = [row for row in self.rejected if row.reason == reason]
        shown = "; ".join(f"{row.raw[:_LONGEST]!r}" for row in examples[:_SHOWN])
        first = f", first in record {examples[0].record:,}: {shown}" if examples else ""
        advice = _ADVICE.get(reason, "")
        if reason == "not_utf8":
            advice = _encoding_advice(self.path)
        advice = advice and f"; {advice}"
        raise InputError(
            f"{self.path}: {bad:,} of {total:,} records cannot be used, more than the share of "
            f"{limits.reject_share:g} allowed (most often {reason}, {times:,} times: "
            f"{_meaning(reason)}{first}){advice}; fix the file or raise `ingest.reject_share`"
        )


def _meaning(reason: str) -> str:
    return (REASONS | FEEDBACK_REASONS)[reason]


_ADVICE = {
    "count_not_positive": (
        "if the column is a rating, write strength = { column = …, min = … } or a `where` in place "
        "of `count`"
    ),
    "count_too_large": (
        "`plays.count` is a number of plays; if the column is a time, write strength = { column = "
        "…, scale = … } with the plays per unit, such as 0.000005 for milliseconds"
    ),
    "at_not_a_time": (
        "`plays.at` alone is ISO 8601 or seconds since 1970; write at = { column = …, unit = "
        '"ms" } for other numbers, or a `format` such as "%d %b %Y %H:%M"'
    ),
    "at_too_early": (
        "`plays.at.unit` says what numbers count since 1970 (s, ms, us, ns); if these rows have no "
        'time, write nulls = ["0"] with what stands for it'
    ),
    "at_in_the_future": "`plays.at.unit` says what numbers count since 1970 (s, ms, us, ns)",
    "count_not_a_number": "`decimal` and `thousands` say how numbers are written",
    "track_id_repeated": (
        "if a track has several rows write merge = true in [tracks]; if the file is the history "
        "leave [tracks] out"
    ),
}


def _encoding_advice(path: Path) -> str:
    """Say which encoding would fit a file that is not in the one given."""
    with path.open("rb") as source:
        while piece := source.read(1 << 20):
            if not piece.isascii():
                at = next(place for place, byte in enumerate(piece) if byte >= 128)
                fits = encoding_that_fits(piece[max(0, at - 1000) :])
                return f'it may be in {fits}: write encoding = "{fits}"' if fits else ""
    return ""


def read_raw(path: Path, spans: Iterable[tuple[int, int]]) -> list[str]:
    """Read records of a text file by (start, length) for showing."""
    texts = []
    with path.open("rb") as source:
        for start, length in spans:
            source.seek(start)
            texts.append(raw_text(source.read(length)))
    return texts


def rejected_table(reports: Sequence[FileReport]) -> pa.Table:
    """Return all rejected rows, by file and record."""
    rows = sorted(
        {
            (report.name, row.record): (report.name, row.record, row.reason, row.raw)
            for report in reports
            for row in reversed(report.rejected)
        }.values()
    )
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    return pa.table([pa.array(values) for values in columns], schema=REJECTED_ROWS.schema)
