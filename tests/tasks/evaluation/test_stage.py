"""The evaluation stage on a small planted world: what it writes, and what it does not look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from distributed import Client
from numpy.typing import NDArray
from scipy import sparse

from tasks.blend.parameters import HybridParameters, segment_of
from tasks.blend.ranking import rank_histories
from tasks.blend.stage import lists_stage
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.content.parameters import ContentParameters
from tasks.content.stage import content_stage
from tasks.evaluation import rounds
from tasks.evaluation.metrics import ndcg_at_k
from tasks.evaluation.models import MODELS
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.refit import needs_refit
from tasks.evaluation.sources import Sources, read_context, read_split, write_sources
from tasks.evaluation.stage import evaluation_stage, learned_parameters
from tasks.holdout.rule import MIN_TRACKS
from tasks.holdout.stage import holdout_stage
from tasks.lake.contracts.edges import EDGES
from tasks.lake.contracts.stages.evaluation import EVALUATION, LISTENERS, SEGMENT_CURVE, SEGMENTS
from tasks.lake.contracts.stages.ingest import DISLIKES, INTERACTIONS, USERS
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import StageResult
from tasks.release.gate import Before, GateVerdict, Rival, gate
from tasks.release.measured import measured_stage
from tasks.release.measured_model import MeasuredModel, read_measured
from tasks.release.rerank import rerank
from tasks.release.stage import held_out_plays
from tests.tasks.content.catalogues import catalogue

TRACKS, LISTENERS_IN_ALL, TASTES = 140, 500, 3
PARAMETERS = EvaluationParameters(min_listeners=150, resamples=200)
HYBRID = HybridParameters(popular_candidates=30)
CONTENT = ContentParameters(neighbours=10, played_neighbours=5, dimensions=8)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None
    ) as client:
        yield client


def planted_plays(seed: int) -> NDArray[np.bool_]:
    """Return listeners × tracks: everyone likes one taste, popular tracks more, a few at random."""
    rng = np.random.default_rng(seed)
    taste_of_track = np.arange(TRACKS) % TASTES
    taste = rng.integers(0, TASTES, LISTENERS_IN_ALL)
    appeal = rng.uniform(0.3, 1.0, TRACKS) * (taste_of_track == taste[:, None]) + 0.01
    played = rng.random((LISTENERS_IN_ALL, TRACKS)) < appeal * rng.uniform(
        0.02, 1.0, (LISTENERS_IN_ALL, 1)
    )
    played[:, -20:] = False  # nobody has played the last tracks
    return np.asarray(played[played.any(axis=1)])


@dataclass(frozen=True)
class Lake:
    """A small lake up to the two neighbour tables."""

    folder: Path
    ingested: StageResult
    held_out: Dataset
    collaborative: StageResult
    content: StageResult

    def evaluate(
        self, client: Client, parameters: EvaluationParameters = PARAMETERS, name: str = "lake"
    ) -> StageResult:
        return evaluation_stage(
            self.folder / name,
            client,
            self.ingested,
            self.held_out,
            self.collaborative,
            self.content,
            HYBRID,
            parameters,
        )

    def measured(self, client: Client) -> MeasuredModel:
        """Return the measured model, as a release keeps it."""
        return read_measured(
            measured_stage(
                self.folder / "lake",
                self.ingested,
                self.held_out,
                self.collaborative,
                self.content,
                self.evaluate(client),
                HYBRID,
            )
        )

    def can_be_split(self) -> NDArray[np.int32]:
        """Return the held-out listeners with two tracks or more."""
        keys: NDArray[np.int32] = self.held_out.read()["user_key"].to_numpy()
        played = self.ingested["users"].read(["tracks_played"])["tracks_played"].to_numpy()
        return np.asarray(keys[played[keys] >= MIN_TRACKS])


def ingested_lake(folder: Path, played: NDArray[np.bool_], tagged: bool = True) -> StageResult:
    """Write what ingest would have, and return its result."""
    listeners = played.sum(axis=0)
    tags = [[f"taste{j % TASTES}", f"shade{j % 7}"] if tagged else None for j in range(TRACKS)]
    tracks = catalogue(tags, (np.arange(TRACKS) // 3).tolist(), (listeners > 0).tolist())
    place = tracks.schema.get_field_index("listeners")
    tracks = tracks.set_column(place, tracks.schema.field(place), pa.array(listeners, pa.int32()))
    track_keys = np.flatnonzero(listeners > 0)
    user, track = np.nonzero(played[:, track_keys])
    sizes = played.sum(axis=1)
    keys = np.arange(len(sizes), dtype=np.int32)
    ids = [f"listener-{key:05}" for key in keys]
    tables = {
        "tracks": tracks,
        "users": pa.table([keys, ids, sizes.astype(np.int32), sizes], schema=USERS.schema),
        "interactions": pa.table(
            [user.astype(np.int32), track.astype(np.int32), np.ones(len(user), np.int32)],
            schema=INTERACTIONS.schema,
        ),
        "dislikes": DISLIKES.schema.empty_table(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_parquet(table, folder / f"{name}.parquet")
    datasets = {name: Dataset.of(folder / f"{name}.parquet") for name in tables}
    return StageResult(stage="ingest", key="-", datasets=datasets, counts={}, seconds=0)


def make_lake(folder: Path, client: Client, played: NDArray[np.bool_], tagged: bool = True) -> Lake:
    ingested = ingested_lake(folder / "ingest", played, tagged)
    held_out = holdout_stage(folder / "lake", ingested["users"], PARAMETERS)
    assert held_out is not None
    collaborative = collaborative_stage(
        folder / "lake",
        client,
        ingested["interactions"],
        int((played.sum(axis=0) > 0).sum()),
        held_out,
        CollaborativeParameters(neighbours=20),
    )
    content = content_stage(
        folder / "lake",
        client,
        ingested["tracks"],
        ingested["interactions"],
        held_out,
        (),
        (),
        CONTENT,
    )
    return Lake(folder, ingested, held_out, collaborative, content)


@pytest.fixture(scope="module")
def played() -> NDArray[np.bool_]:
    return planted_plays(0)


@pytest.fixture(scope="module")
def lake(
    tmp_path_factory: pytest.TempPathFactory, client: Client, played: NDArray[np.bool_]
) -> Lake:
    return make_lake(tmp_path_factory.mktemp("world"), client, played)


@pytest.fixture(scope="module")
def result(lake: Lake, client: Client) -> StageResult:
    return lake.evaluate(client)


Key = tuple[str, str, str, int]


def rows_of(result: StageResult) -> dict[Key, dict[str, Any]]:
    """Return the evaluation table by model, segment, metric and k."""
    listed = result["evaluation"].read().to_pylist()
    rows = {(row["model"], row["segment"], row["metric"], row["k"]): row for row in listed}
    assert len(rows) == len(listed)
    return rows


def values_of(result: StageResult) -> dict[tuple[str, str], float]:
    """Return the listeners table by listener and metric."""
    listed = result["listeners"].read().to_pylist()
    return {(row["user_id"], row["metric"]): row["value"] for row in listed}


def test_writes_its_datasets_and_reuses_them(
    lake: Lake, client: Client, result: StageResult
) -> None:
    assert result["evaluation"].read().schema == EVALUATION.schema
    assert result["segment_curve"].read().schema == SEGMENT_CURVE.schema
    assert result["segments"].read().schema == SEGMENTS.schema
    assert result["listeners"].read().schema == LISTENERS.schema
    assert result.counts["held_out"] == len(lake.can_be_split()) > 120
    again = lake.evaluate(client)
    assert again.reused
    # The gate's limits decide nothing that is measured
    assert lake.evaluate(client, PARAMETERS.model_copy(update={"gate_loss": 0.5})).reused


def test_rows_make_sense(result: StageResult) -> None:
    rows = rows_of(result)
    for (_, _, metric, _), row in rows.items():
        assert row["users"] > 0
        assert (row["ci_low"] is None) == (metric in {"coverage", "gini"})
        if row["ci_low"] is not None:
            assert row["ci_low"] <= row["value"] + 1e-9
            assert row["ci_high"] >= row["value"] - 1e-9
        if metric in {"recall", "ndcg", "map", "hit_rate", "coverage", "gini", "unplayed_share"}:
            assert 0 <= row["value"] <= 1
    segments = {segment for _, segment, _, _ in rows}
    assert {"all", "history:1", "history:2-5", "history:6-20", "light:2-5"} <= segments
    assert {"history:>20", "listeners:>50"} <= segments
    everyone = {model: rows[model, "all", "ndcg", 100] for model in MODELS}
    assert {row["users"] for row in everyone.values()} == {result.counts["held_out"]}
    # Tastes are planted, so signals beat popularity and the blend keeps up with the best of its own
    value = {model: row["value"] for model, row in everyone.items()}
    assert value["collaborative"] > 1.2 * value["popularity"]
    assert value["hybrid"] > 0.98 * max(value["collaborative"], value["content"])
    assert rows["hybrid", "all", "gain_over_popularity", 100]["ci_low"] > 0


def test_gains_are_paired_differences(result: StageResult) -> None:
    rows = rows_of(result)
    for segment in ("all", "history:1", "history:2-5"):
        value = {model: rows[model, segment, "ndcg", 100]["value"] for model in MODELS}
        single = [value[m] for m in ("popularity", "cosine", "collaborative", "content")]
        gain = rows["hybrid", segment, "gain_over_best", 100]
        assert gain["value"] == pytest.approx(value["hybrid"] - max(single))
        over = rows["hybrid", segment, "gain_over_popularity", 100]
        assert over["value"] == pytest.approx(value["hybrid"] - value["popularity"])
        best = max(("popularity", "cosine", "collaborative", "content"), key=lambda m: value[m])
        apart = [rows[model, segment, "ndcg", 100] for model in ("hybrid", best)]
        unpaired = np.hypot(*(row["ci_high"] - row["ci_low"] for row in apart))
        assert gain["ci_high"] - gain["ci_low"] < unpaired


def test_the_curve_has_every_point_and_the_segments_every_length(result: StageResult) -> None:
    curve = result["segment_curve"].read().to_pylist()
    found = {(row["segment"], row["weight"], row["popularity"]) for row in curve}
    segments = ("1", "2-5", "6-20", ">20")
    tried = product(segments, PARAMETERS.weights, PARAMETERS.priors)
    assert found == {(s, w, p) for s, w, p in tried if w > 0 or p == 0}
    assert len(curve) == len(found)
    learned = learned_parameters(result, HYBRID)
    assert learned.gamma == result.counts["gamma"]
    assert [s.segment for s in learned.segments] == [s.segment for s in HYBRID.segments]
    assert learned.segments[0] == HYBRID.segments[0]
    for segment in learned.segments:
        assert round(segment.weight, 2) == segment.weight


def test_only_the_hybrid_depends_on_what_was_learned(
    lake: Lake, client: Client, result: StageResult
) -> None:
    other = PARAMETERS.model_copy(update={"weights": (0.3,), "priors": (0.2,)})
    rows, others = rows_of(result), rows_of(lake.evaluate(client, other))
    assert rows.keys() == others.keys()
    moved = {key[0] for key in rows if rows[key] != others[key]}
    assert moved == {"hybrid", "hybrid_any_artist"}


def test_values_are_those_of_the_published_ranking(
    lake: Lake, client: Client, tmp_path: Path
) -> None:
    """Rank every held-out listener with the cross-fitted parameters, from scratch."""
    fixed = PARAMETERS.model_copy(update={"weights": (0.6,), "priors": (0.2,), "gammas": (0.4,)})
    found = values_of(lake.evaluate(client, fixed))
    world = read_context(_sources(lake, tmp_path), HYBRID.model_copy(update={"gamma": 0.4}))
    everyone = np.arange(len(world.split))
    indptr, history = world.split.histories(everyone, world.split.fold_in)
    of = segment_of(np.diff(indptr), HYBRID.segments)
    assert of.min() > 0
    lists = rank_histories(
        world.model, indptr, history, np.full(len(of), 0.6), np.full(len(of), 0.2), 100
    )
    at, targets = world.split.to_find(everyone)
    wanted = sparse.csr_array((np.ones(len(targets)), targets, at), shape=(len(of), TRACKS))
    expected = ndcg_at_k(lists.tracks, wanted, 100)
    keys = lake.can_be_split()
    ours = [found[f"listener-{key:05}", "ndcg@100"] for key in keys]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


def _sources(lake: Lake, folder: Path) -> Sources:
    return write_sources(
        folder, lake.ingested, lake.held_out, lake.collaborative, lake.content, PARAMETERS
    )


def test_a_track_of_held_out_listeners_alone_is_cold_when_measured_and_when_published(
    lake: Lake, client: Client, played: NDArray[np.bool_], tmp_path: Path
) -> None:
    keys = lake.held_out.read()["user_key"].to_numpy()
    rest = np.setdiff1d(np.arange(len(played)), keys)
    theirs = played.copy()
    theirs[np.ix_(rest, np.arange(0, 120, 9))] = False  # the rest of the tracks keeps its listeners
    theirs[~theirs.any(axis=1), 1] = True
    assert theirs[:, ::9][keys].any()
    world = make_lake(tmp_path, client, theirs)
    model = (world.ingested, world.collaborative, world.content)
    measured = read_context(_sources(world, tmp_path), HYBRID).model.catalogue.is_cold
    only_theirs = measured & (theirs.any(axis=0))
    assert only_theirs.sum() >= 10
    for held_out, cold in ((world.held_out, measured), (None, ~theirs.any(axis=0))):
        lists = lists_stage(tmp_path / "lake", client, *model, HYBRID, held_out=held_out)
        catalogue = lists["catalogue"].read()
        np.testing.assert_array_equal(catalogue["popularity"].to_numpy() == 0, cold)
        ranks = catalogue["listener_rank"].to_numpy()
        assert ranks[cold].min() > ranks[~cold].max()


def test_no_half_is_chosen_for_by_itself(
    lake: Lake,
    client: Client,
    result: StageResult,
    played: NDArray[np.bool_],
    tmp_path: Path,
) -> None:
    """Change what most listeners of one half like: the reports of its others do not move."""
    keys = lake.can_be_split()
    half = read_split(_sources(lake, tmp_path).split).half
    first = keys[half == 0]
    changed = played.copy()
    rng = np.random.default_rng(9)
    for key in first[:-10]:
        changed[key, :120] = rng.permutation(played[key, :120])
    np.testing.assert_array_equal(changed.any(axis=0), played.any(axis=0))
    other = ingested_lake(tmp_path / "ingest", changed)
    changed_lake = Lake(tmp_path, other, lake.held_out, lake.collaborative, lake.content)
    again = changed_lake.evaluate(client)
    before, after = values_of(result), values_of(again)
    untouched = {f"listener-{key:05}" for key in first[-10:]}
    second = {f"listener-{key:05}" for key in keys[half == 1]}
    moved = {key[0] for key in before if before[key] != after[key]}
    assert not moved & untouched
    assert again.counts["gamma_second_half"] == result.counts["gamma_second_half"]
    # Those of the other half are reported with what the changed half says
    assert moved & second
    assert not again["segments"].read().equals(result["segments"].read())


@pytest.mark.parametrize("blocks", [1, 5])
def test_the_number_of_blocks_does_not_show(
    lake: Lake,
    client: Client,
    result: StageResult,
    blocks: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "BLOCKS", blocks)
    reports: list[tuple[int, int]] = []
    again = evaluation_stage(
        lake.folder / f"blocks-{blocks}",
        client,
        lake.ingested,
        lake.held_out,
        lake.collaborative,
        lake.content,
        HYBRID,
        PARAMETERS,
        lambda *done: reports.append(done),
    )
    assert {name: d.digest for name, d in again.datasets.items()} == {
        name: d.digest for name, d in result.datasets.items()
    }
    assert reports[0] == (0, 3 * blocks)
    assert reports[-1] == (3 * blocks, 3 * blocks)
    assert reports == sorted(reports)


def test_a_shuffled_world_is_refused(
    lake: Lake, client: Client, result: StageResult, played: NDArray[np.bool_], tmp_path: Path
) -> None:
    shuffled = played.copy()
    rng = np.random.default_rng(3)
    for row in shuffled:
        row[:120] = rng.permutation(row[:120])
    changed = make_lake(tmp_path, client, shuffled)
    challenger, current = changed.measured(client), lake.measured(client)
    evaluation = changed.evaluate(client)
    on_its_day = Before("r1", result["listeners"].read())
    verdict = judged(changed, challenger, current, evaluation, on_its_day)
    assert not verdict.passed  # neither model can answer today's question
    assert any(reason.startswith("NDCG@100 fell from") for reason in verdict.reasons)
    # the shuffled model answers the question of the real world worse than the real one does
    assert not judged(lake, challenger, current, evaluation).passed
    same = judged(lake, current, current, result)
    assert same.passed
    assert {one.change for one in same.comparisons} == {0.0}
    assert {one.listeners for one in same.comparisons} == {len(lake.can_be_split())}


def judged(
    lake: Lake,
    challenger: MeasuredModel,
    current: MeasuredModel,
    evaluation: StageResult,
    before: Before | None = None,
) -> GateVerdict:
    """Ask the gate about two measured models on the plays of a lake."""
    plays = held_out_plays(lake.ingested, lake.held_out, challenger)
    rival = Rival("current release", "r1", rerank(challenger, current, plays))
    own, listeners = (evaluation[name].read() for name in ("evaluation", "listeners"))
    return gate([rival], own, listeners, before, PARAMETERS)


def test_the_measured_model_ranks_as_the_evaluation_does(
    lake: Lake, client: Client, result: StageResult
) -> None:
    """One question of the five is the evaluation's own, with the same cross-fitted blends."""
    model = lake.measured(client)
    plays = held_out_plays(lake.ingested, lake.held_out, model)
    paired = rerank(model, model, plays, rounds=1)
    found = values_of(result)
    for metric, values in paired.ours.items():
        expected = [found[user, metric] for user in paired.user_ids.to_pylist()]
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)


def test_without_content_the_collaborative_side_decides_alone(
    client: Client, played: NDArray[np.bool_], tmp_path: Path
) -> None:
    lake = make_lake(tmp_path, client, played, tagged=False)
    write_parquet(EDGES.empty_table(), tmp_path / "content.parquet")
    empty = {"content": Dataset.of(tmp_path / "content.parquet")}
    bare = Lake(
        tmp_path,
        lake.ingested,
        lake.held_out,
        lake.collaborative,
        lake.content.model_copy(update={"datasets": empty}),
    )
    learned = learned_parameters(bare.evaluate(client), HYBRID)
    assert {segment.weight for segment in learned.segments} == {1.0}


@pytest.mark.parametrize(("listeners", "refit"), [(9_999, True), (10_000, False)])
def test_the_model_is_learned_once_more_below_ten_thousand_listeners(
    lake: Lake, listeners: int, refit: bool
) -> None:
    held_out = lake.held_out.model_copy(update={"rows": 200})
    users = lake.ingested["users"].model_copy(update={"rows": listeners})
    assert needs_refit(held_out, users, EvaluationParameters()) == refit


def test_nobody_is_held_out_with_share_0_or_nobody_to_split(tmp_path: Path) -> None:
    users = ingested_lake(tmp_path, np.eye(30, TRACKS, dtype=np.bool_))["users"]
    assert holdout_stage(tmp_path, users, PARAMETERS) is None
    off = PARAMETERS.model_copy(update={"holdout": 0.0})
    assert holdout_stage(tmp_path, users, off) is None


def test_a_handful_of_listeners_is_enough(client: Client, tmp_path: Path) -> None:
    few = planted_plays(4)[:8]
    parameters = PARAMETERS.model_copy(update={"min_listeners": 3})
    lake = make_lake(tmp_path, client, few)
    result = lake.evaluate(client, parameters)
    held_out = len(lake.can_be_split())
    assert 0 < held_out <= 4
    assert result.counts["held_out"] == held_out
    assert rows_of(result)["hybrid", "all", "ndcg", 100]["users"] == held_out
