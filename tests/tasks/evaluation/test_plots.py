"""Plots: three well-formed SVG files, the same bytes for the same numbers."""

import xml.etree.ElementTree as ET
from itertools import product
from pathlib import Path

import pyarrow as pa

from tasks.blend.parameters import DEFAULT_SEGMENTS
from tasks.evaluation.models import MODELS
from tasks.evaluation.plots import write_plots
from tasks.evaluation.report import segments_table
from tasks.lake.contracts.stages.evaluation import EVALUATION, SEGMENT_CURVE

NAMES = [segment.segment for segment in DEFAULT_SEGMENTS if segment.max_tracks != 0]


def evaluation() -> pa.Table:
    rows = []
    for place, model in enumerate(MODELS):
        value = 0.1 + 0.02 * place
        common = {"model": model, "value": value, "users": 9}
        ends = {"ci_low": value - 0.01, "ci_high": value + 0.01}
        for segment in ["all", *(f"history:{name}" for name in NAMES)]:
            rows.append({**common, **ends, "segment": segment, "metric": "ndcg", "k": 100})
        rows.append({**common, "segment": "all", "metric": "coverage", "k": 20})
    return pa.Table.from_pylist(rows, schema=EVALUATION.schema)


def curve(names: list[str]) -> pa.Table:
    rows = [
        {
            "segment": name,
            "weight": w,
            "popularity": p,
            "metric": "ndcg@100",
            "value": 0.3 - (w - 0.6) ** 2 - 0.01 * p,
            "ci_low": 0.1,
            "ci_high": 0.4,
        }
        for name, w, p in product(names, (0.0, 0.5, 1.0), (0.0, 0.4))
    ]
    return pa.Table.from_pylist(rows, schema=SEGMENT_CURVE.schema)


def test_three_files_that_name_what_they_show(tmp_path: Path) -> None:
    files = write_plots(evaluation(), curve(NAMES), segments_table(DEFAULT_SEGMENTS), tmp_path)
    assert list(files) == ["quality_by_weight", "quality_by_history", "coverage_by_quality"]
    texts = {}
    for name, file in files.items():
        root = ET.parse(file).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        texts[name] = " ".join(root.itertext())
        assert file.stat().st_size < 100_000
    assert all(f"history {name}" in texts["quality_by_weight"] for name in NAMES)
    assert all(model in texts["coverage_by_quality"] for model in MODELS)
    assert "hybrid" in texts["quality_by_history"]


def test_the_same_numbers_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    tables = (evaluation(), curve(NAMES), segments_table(DEFAULT_SEGMENTS))
    first = write_plots(*tables, tmp_path)
    again = write_plots(*tables, tmp_path / "again")
    for name, file in first.items():
        assert file.read_bytes() == again[name].read_bytes()


def test_segments_that_nobody_was_measured_for_are_left_out(tmp_path: Path) -> None:
    none = EVALUATION.schema.empty_table(), curve([]), segments_table(DEFAULT_SEGMENTS)
    for file in write_plots(*none, tmp_path).values():
        ET.parse(file)
