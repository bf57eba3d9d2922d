"""The section of a report on the checks of the input and of its drift, failures first."""

import pyarrow as pa

from flows.artifacts.markdown import table
from flows.artifacts.page import show

ORDER = ("failed", "passed", "skipped")


def show_data_quality(checks: pa.Table) -> None:
    """Show `DATA_QUALITY` rows as the page `data-quality` of a run that checks the input only."""
    show("data-quality", data_quality_markdown(checks), "Checks of the input and its drift")


def data_quality_markdown(checks: pa.Table) -> str:
    """Return the checks as a section of Markdown."""
    rows = sorted(checks.to_pylist(), key=lambda row: ORDER.index(row["status"]))
    counts = ((status, sum(row["status"] == status for row in rows)) for status in ORDER)
    said = ", ".join(f"{count} {status}" for status, count in counts if count)
    cells = (
        (
            f"**{row['status']}**" if row["status"] == "failed" else row["status"],
            row["check_name"],
            row["severity"],
            "" if row["observed"] is None else f"{row['observed']:.4g}",
            row["expected"],
            row["details"],
        )
        for row in rows
    )
    head = ("status", "check", "severity", "observed", "expected", "what it looks at")
    return "\n".join(["## Data quality", "", f"{said}.", "", *table(head, cells)])
