"""The cold-track backtest: every way to score hidden tracks, and the curve of what γ costs."""

from pathlib import Path

from distributed import Client

from tasks.backtest.cold import ColdParameters
from tasks.backtest.cold_stage import CATALOGUE, COLD, cold_backtest
from tasks.blend.parameters import HybridParameters
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.content.parameters import ContentParameters
from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage
from tests.conftest import Sample


def test_ours_stands_beside_the_baselines_and_the_curve_is_there(
    sample: Sample, tmp_path: Path
) -> None:
    spec = DatasetSpec.kaggle(sample.tracks, sample.plays)
    with Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as client:
        rows = cold_backtest(
            tmp_path,
            client,
            spec,
            ingest_stage(tmp_path, spec),
            ContentParameters(neighbours=20, played_neighbours=20),
            CollaborativeParameters(neighbours=20),
            HybridParameters(),
            ColdParameters(draws=2, listeners=100),
        ).to_pylist()
    value = {(r["segment"], r["model"], r["metric"]): r["value"] for r in rows}
    models = {model for segment, model, _ in value if segment == COLD}
    assert {"random", "same artist", "tag cosine", "content"} < models
    assert value[COLD, "content", "recall"] > 1.5 * value[COLD, "random", "recall"]
    ratio = value[COLD, "content", "recall"] / value[COLD, "random", "recall"]
    assert abs(value[COLD, "random", "recall_ratio"] - ratio) < 1e-9
    none, every = (
        [value[CATALOGUE, f"hybrid, γ = {gamma}", metric] for metric in ("hidden_share", "ndcg")]
        for gamma in (0.0, 1.0)
    )
    assert none[0] < every[0]
    assert none[1] > every[1] > 0
