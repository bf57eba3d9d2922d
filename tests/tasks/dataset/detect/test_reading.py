"""A run reads the files as `init` showed them: same plays, nothing rejected."""

from pathlib import Path

import pytest

from tasks.dataset.detect.document import write_document
from tasks.dataset.detect.reading import plays_rows
from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage
from tests.tasks.dataset.detect.shapes import Shape
from tests.tasks.dataset.detect.test_precision import ALL, proposed

SAMPLED = {
    "playlists", "playlists of objects", "parts", "columns in another order", "folder of Parquet",
    "a folder for every listener", "halves of a history",
}  # fmt: skip
"""Shapes whose rows are not plays one by one, or of which only the first part is sampled."""


@pytest.mark.parametrize("shape", ALL, ids=lambda shape: shape.name)
def test_a_run_takes_the_document_without_editing(shape: Shape, tmp_path: Path) -> None:
    proposal = proposed(shape, tmp_path)
    toml = tmp_path / "dataset.toml"
    toml.write_text(write_document(proposal, tmp_path, shape.name), encoding="utf-8")
    spec = DatasetSpec.from_toml(toml)
    counts = ingest_stage(tmp_path / "lake", spec).counts
    assert not any(number for name, number in counts.items() if name.startswith("rejected"))
    rows, _ = plays_rows(proposal.history, spec.plays, 10**9)
    kept = int(counts["play_records"]) - int(counts.get("filtered_plays", 0))
    assert kept > 0
    if shape.name not in SAMPLED:
        assert kept == len(rows)
