"""What was read of each input file, kept with the tables so that a later ingest can add to them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from tasks.ingest.inputs import Inputs
from tasks.ingest.recognise import InputFile
from tasks.ingest.records import Rejected
from tasks.ingest.rejects import FileReport
from tasks.lake.contracts.stages.ingest import SOURCES
from tasks.lake.record import StageResult

CATALOGUE, HISTORY = "catalogue", "history"


def sources_table(
    inputs: Inputs, digests: Mapping[str, str], reports: Sequence[FileReport]
) -> pa.Table:
    """Return `SOURCES`; ``reports`` are those of the files of the history that have rows."""
    read = {report.name: report for report in reports}
    rows = []
    for kind, files in ((CATALOGUE, inputs.tracks), (HISTORY, inputs.plays)):
        for name in sorted(file.name for file in files):
            report = read.get(name) if kind == HISTORY else None
            reasons = dict(sorted(report.reasons.items())) if report else {}
            records = report.records if report else 0
            rows.append((kind, name, digests[name], records, json.dumps(reasons)))
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(values) for values in columns], schema=SOURCES.schema)


def digests_of(sources: pa.Table, kind: str) -> dict[str, str]:
    """Return the digests of the files of a kind by name."""
    return {row["file"]: row["digest"] for row in sources.to_pylist() if row["kind"] == kind}


def reports_of(ingested: StageResult, files: Sequence[InputFile]) -> list[FileReport]:
    """Return what was said of files of the history that an ingest has read."""
    sources = {row["file"]: row for row in ingested["sources"].read().to_pylist()
               if row["kind"] == HISTORY}  # fmt: skip
    rejected: dict[str, list[Rejected]] = {}
    for row in ingested["rejected_rows"].read().to_pylist():
        rows = rejected.setdefault(row["file"], [])
        rows.append(Rejected(row["record"], row["reason"], row["raw"]))
    return [
        FileReport(
            file.name,
            Path(file.path),
            sources[file.name]["records"],
            rejected.get(file.name, []),
            Counter(json.loads(sources[file.name]["reasons"])),
        )
        for file in files
        if sources[file.name]["records"]
    ]
