"""The backtest: every model on the same listeners, in one table."""

from pathlib import Path

import pytest
from distributed import Client

from tasks.backtest.stage import backtest
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.content.parameters import ContentParameters
from tasks.dataset.spec import DatasetSpec
from tasks.evaluation.parameters import EvaluationParameters
from tasks.lake.record import StageResult
from tests.tasks.evaluation.test_stage import HYBRID, PARAMETERS, ingested_lake, planted_plays
from warehouse.errors import InputError

CONTENT = ContentParameters(neighbours=10, played_neighbours=5, dimensions=8)


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> StageResult:
    played = planted_plays(0)
    result = ingested_lake(tmp_path_factory.mktemp("ingest"), played)
    unplayed = int((~played.any(axis=0)).sum())
    return result.model_copy(
        update={"counts": {"tracks": played.shape[1], "unplayed_tracks": unplayed}}
    )


def spec() -> DatasetSpec:
    kaggle = DatasetSpec.kaggle(Path("tracks.csv"), Path("plays.csv"))
    bare = kaggle.tracks.model_copy(update={"numeric": (), "categorical": ()})
    return kaggle.model_copy(update={"tracks": bare})


def run(
    lake: Path, ingested: StageResult, parameters: EvaluationParameters
) -> tuple[list[dict[str, object]], list[str]]:
    told: list[str] = []
    with Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None
    ) as client:
        table = backtest(
            lake,
            client,
            spec(),
            ingested,
            CollaborativeParameters(neighbours=20),
            CONTENT,
            HYBRID,
            parameters,
            ("learned", "cosine"),
            lambda _, name: told.append(name),
        )
    return table.to_pylist(), told


def test_every_model_and_blend_once(tmp_path: Path, ingested: StageResult) -> None:
    rows, told = run(tmp_path, ingested, PARAMETERS)
    of_all = [r["model"] for r in rows if (r["segment"], r["metric"]) == ("all", "ndcg")]
    blends = [
        f"{b}({m})"
        for m in ("learned", "cosine")
        for b in ("fifty_fifty", "hybrid", "hybrid_any_artist")
    ]
    single = ["popularity", "content", "learned", "cosine"]
    assert sorted(map(str, of_all)) == sorted([*single, *blends])
    stages = [f"{m}: {s}" for m in ("learned", "cosine") for s in ("collaborative", "evaluation")]
    assert told == ["content", *stages]
    # a listener is held out by a hash of the id: near 150, and the same ones for every model
    (users,) = {r["users"] for r in rows if (r["segment"], r["metric"]) == ("all", "ndcg")}
    assert 120 < int(str(users)) < 180


def test_nobody_held_out_is_explained(tmp_path: Path, ingested: StageResult) -> None:
    with pytest.raises(InputError, match="holdout above 0"):
        run(tmp_path, ingested, PARAMETERS.model_copy(update={"holdout": 0.0}))
