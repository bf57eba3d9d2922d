"""The pages of a run: what they say, from tables of known content."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from flows.artifacts.difference import difference_markdown
from flows.artifacts.evaluation import (
    evaluation_markdown,
    half_lives_markdown,
    moved_blends,
    temporal_markdown,
)
from flows.artifacts.markdown import table
from flows.artifacts.quality import data_quality_markdown
from flows.artifacts.report import gate_markdown
from flows.artifacts.tuning import tuning_markdown
from flows.lines import in_short
from flows.tuning import settings_fragment
from tasks.blend.parameters import DEFAULT_SEGMENTS
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.evaluation.plots import write_plots
from tasks.evaluation.report import segments_table
from tasks.lake.contracts.quality import DATA_QUALITY
from tasks.lake.contracts.stages.temporal import HALF_LIVES, SUPPORTED
from tasks.tuning.search import Point, Tuning
from tests.conftest import Published
from tests.tasks.evaluation.test_plots import NAMES, curve, evaluation
from warehouse.releases.difference import Difference, Side
from warehouse.releases.manifest import Comparison, Manifest, Override


def test_a_table_keeps_its_columns_whatever_the_text() -> None:
    lines = table(("a", "b"), [("x | y", 1), ("two\nlines", 2)], numbers=1)
    assert lines == ["| a | b |", "| --- | ---: |", "| x \\| y | 1 |", "| two lines | 2 |"]


def test_the_gates_decision_is_a_sentence_and_its_figures(published: Published) -> None:
    manifest = Manifest.read(published.database.resolve().parent)
    compared = Comparison(
        role="current release", release_id="20260101T000000-abcdef", metric="ndcg@100",
        listeners=1_234, rival=0.4, challenger=0.39, change=-0.025, ci_low=-0.04, ci_high=-0.01,
        detectable=0.03, verdict="beyond the limit",
    )  # fmt: skip
    override = Override(by="ann", because="licences | ended", at=manifest.created_at)
    page = gate_markdown(
        manifest.model_copy(update={"comparisons": (compared,), "override": override})
    )
    assert manifest.gate in page
    assert "by ann: licences \\| ended." in page
    row = "ndcg@100 | 1,234 | 0.4000 | 0.3900 | -2.5% | -4.0% to -1.0% | beyond the limit |"
    assert f"| current release 20260101T000000-abcdef | {row}" in page
    assert gate_markdown(manifest).count("|") == 0  # nothing was there to compare with


def test_counts_in_short() -> None:
    counts = (7, 962_037, 9_711_301, 97_113_010, 1_234_567_890)
    assert [in_short(count) for count in counts] == ["7", "962 k", "9.71 M", "97.1 M", "1.23 G"]


def test_both_splits_are_side_by_side() -> None:
    random = evaluation()
    rows = [
        {**row, "segment": f"temporal:{row['segment']}", "value": row["value"] / 2}
        for row in random.to_pylist()
        if row["model"] != "content" or row["segment"] == "all"
    ]
    rows += [
        {**row, "model": "popularity_recent", "value": 0.2}
        for row in rows
        if row["model"] == "popularity" and row["segment"] == "temporal:all"
    ]
    halfway = {"half": 2, "segment": "1", "min_tracks": 1, "weight": 0.1, "popularity": 0.3}
    supported = pa.Table.from_pylist([{**halfway, "support": 0.5}], schema=SUPPORTED.schema)
    table = pa.Table.from_pylist(rows, schema=random.schema)
    moved = moved_blends(DEFAULT_SEGMENTS, supported)
    page = temporal_markdown(random, table, "2024-05-01", moved)
    assert "| 1 | 0.50, 0.30 | 0.10, 0.30 | 50% | 0.30, 0.30 |" in page
    assert "| 2-5 |" not in page  # nobody was asked
    assert "Models of 2024-05-01, which have seen nothing that was played later" in page
    assert (
        f"| NDCG@100 | random split | all | {' | '.join(f'history:{n}' for n in NAMES)} |" in page
    )
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    assert lines[2].startswith("| popularity_recent |  | 0.200 (")  # best of all in time
    assert lines[3].startswith("| hybrid_any_artist | 0.220 | 0.110 (")


def test_the_half_lives_that_were_tried_are_in_the_report() -> None:
    tried = {0: 0.2, 90: 0.19, 360: 0.25}
    rows = [
        {"half": half, "half_life": days, "ndcg": ndcg, "support": 0.82, "is_chosen": days == 360}
        for half, scale in ((0, 1.0), (2, 2.0))
        for days, ndcg in ((days, scale * ndcg) for days, ndcg in tried.items())
    ]
    page = half_lives_markdown(pa.Table.from_pylist(rows, schema=HALF_LIVES.schema))
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    assert lines[2:] == [
        "| none | 0.400 | +0.0% |  |",
        "| 90 | 0.380 | -5.0% |  |",
        "| 360 | 0.500 | +25.0% | chosen |",
    ]
    assert "its support, 82% here, must be 50%" in page


def test_failed_checks_come_first() -> None:
    rows = [
        ("fine", "stop", "passed", 0.0, "at most 0", "all is well"),
        ("drift", "warn", "skipped", None, "a release", "there is none"),
        ("odd", "warn", "failed", 0.25, "at most 0.1", "too many"),
    ]
    checks = pa.Table.from_pylist(
        [dict(zip(DATA_QUALITY.schema.names, row, strict=True)) for row in rows],
        schema=DATA_QUALITY.schema,
    )
    page = data_quality_markdown(checks)
    assert "1 failed, 1 passed, 1 skipped" in page
    places = [page.index(name) for name in ("| odd |", "| fine |", "| drift |")]
    assert places == sorted(places)


def test_the_evaluation_has_its_plots_in_it(tmp_path: Path) -> None:
    segments = segments_table(DEFAULT_SEGMENTS)
    write_plots(evaluation(), curve(NAMES), segments, tmp_path)
    page = evaluation_markdown(evaluation(), segments, tmp_path)
    assert page.count("data:image/svg+xml;base64,") == 3
    assert "9 listeners" in page
    assert all(f"history:{name}" in page for name in NAMES)


def test_the_difference_says_overlap_coverage_and_quality() -> None:
    old = Side("old", tracks=100, listeners=50, shown=40, quality={"ndcg@100": 0.2})
    new = Side("new", tracks=110, listeners=60, shown=55, quality={"ndcg@100": 0.21})
    page = difference_markdown(Difference(old, new, 50, 0.8, 0.75, 0.5))
    for said in ("**80.0 %**", "**75.0 %**", "+10", "40.0 %", "50.0 %", "+10.0", "+0.0100"):
        assert said in page


def test_the_tuning_page_says_what_moved_and_all_that_was_tried() -> None:
    start = CollaborativeParameters()
    chosen = start.model_copy(update={"ridge": 50.0})
    curve = [
        Point(start, {"recall@20": 0.31, "ndcg@100": 0.4}),
        Point(chosen, {"recall@20": 0.32, "ndcg@100": 0.41}),
    ]
    tuning = Tuning(chosen, curve, {"recall@20": 0.315, "ndcg@100": 0.405}, listeners=1_234)
    page = tuning_markdown(tuning, start, settings_fragment(tuning))
    assert "1,234 listeners" in page
    assert "| start | 0.3100 | 0.4000 |" in page
    assert "| chosen | 0.3200 | 0.4100 |" in page
    assert "measured on the other | 0.3150 | 0.4050 |" in page
    assert "| ridge | 30.0 | **50.0** |" in page
    assert "| non_negative | true | true |" in page
    assert "\nridge = 50.0\n" in page
    assert page.count("**0.3200**") == 1
    assert "on the other" not in tuning_markdown(replace(tuning, reported={}), start, "")
