"""Rows that are set aside: collected with file, record, reason and raw text, never dropped."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from tasks.ingest.limits import IngestLimits
from tasks.ingest.reasons import FEEDBACK_REASONS, REASONS
from tasks.ingest.records import Rejected, raw_text
from tasks.lake.contracts.quality import REJECTED_ROWS
from warehouse.errors import InputError


@dataclass
class FileReport:
    """What one input file gave."""

    name: str
    path: Path
    records: int = 0
    """Records after the header, good and bad."""
    rejected: list[Rejected] = field(default_factory=list)

    def cap(self, limits: IngestLimits, records: int | None = None) -> int:
        """Return how many rejected rows of the file are still bearable."""
        share = limits.reject_share * (self.records if records is None else records)
        return max(limits.reject_rows, int(share))

    def check_reject_limit(self, limits: IngestLimits, records: int | None = None) -> None:
        """Raise InputError when too many records, or all of them, are rejected.

        ``records`` is an upper bound while the file is still being read.
        """
        total = self.records if records is None else records
        bad = len(self.rejected)
        if bad <= self.cap(limits, total) and (bad < total or not bad):
            return
        reason = Counter(row.reason for row in self.rejected).most_common(1)[0][0]
        first = next(row for row in self.rejected if row.reason == reason)
        raise InputError(
            f"{self.path}: {bad:,} of {total:,} records cannot be used, more than the share of "
            f"{limits.reject_share:g} allowed (most often {reason}: {_meaning(reason)}, "
            f"first in record {first.record}); mend the file or raise `ingest.reject_share`"
        )


def _meaning(reason: str) -> str:
    return (REASONS | FEEDBACK_REASONS)[reason.split(":", 1)[0]]


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
        (report.name, row.record, row.reason, row.raw)
        for report in reports
        for row in report.rejected
    )
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    return pa.table([pa.array(values) for values in columns], schema=REJECTED_ROWS.schema)
