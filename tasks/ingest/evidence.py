"""What the checks look at beside the finished tables."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tasks.ingest.catalogue import Catalogue
from tasks.ingest.files import InputFile
from tasks.ingest.history import Plays
from tasks.ingest.ids import likely_cause
from tasks.ingest.limits import IngestLimits

_EXAMPLES = 1_000
"""Unknown ids that are compared with the catalogue's to see why they are unknown."""


def relations_to_check(
    catalogue: Catalogue,
    plays: Plays,
    rejected: pa.Table,
    empty: Sequence[InputFile],
    limits: IngestLimits,
) -> dict[str, pa.Table]:
    """Return the relations of the checks by name; the counts and finished tables are apart."""
    reports = [*catalogue.reports, *plays.reports]
    findings = catalogue.findings
    return {
        "rejected_rows": rejected,
        "unknown_tracks": plays.unknown,
        "unknown_cause": pa.table(
            {"cause": pa.array(_causes(catalogue, plays, limits), pa.string())}
        ),
        "input_files": pa.table(
            {
                "file": pa.array([report.name for report in reports], pa.string()),
                "records": pa.array([report.records for report in reports], pa.int64()),
                "rejected": pa.array([report.bad for report in reports], pa.int64()),
                "reasons": pa.array([_reasons(report.reasons) for report in reports], pa.string()),
            }
        ),
        "empty_files": pa.table({"file": pa.array([file.name for file in empty], pa.string())}),
        "unreadable": findings.table("unreadable"),
        "cut": findings.table("cut"),
        "like_nulls": findings.table("like_nulls"),
        "like_lists": findings.table("like_lists"),
    }


def _reasons(reasons: dict[str, int]) -> str:
    most = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:3]
    return ", ".join(f"{reason} {count:,}" for reason, count in most)


def _causes(catalogue: Catalogue, plays: Plays, limits: IngestLimits) -> list[str]:
    """Say why tracks are unknown, if more are than give a warning."""
    records = sum(report.records for report in plays.reports)
    if (pc.sum(plays.unknown["records"]).as_py() or 0) <= limits.unknown_share * records:
        return []
    unknown = plays.unknown["track_id"].slice(0, _EXAMPLES).to_pylist()
    return [likely_cause(catalogue.ids.to_pylist(), unknown)]
