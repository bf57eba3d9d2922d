"""The temporal split on planted worlds: its figures, and a future that no model may see."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import Client
from numpy.typing import NDArray
from scipy import sparse

from tasks.blend.model import BlendCatalogue
from tasks.blend.neighbours import Neighbours
from tasks.blend.parameters import Segment, segment_of
from tasks.blend.ranking import rank_histories
from tasks.blend.strength import strengths
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tasks.content.stage import content_stage
from tasks.evaluation.half_life import chosen_half_life
from tasks.evaluation.in_time import found_on, moved_parameters, moved_segments
from tasks.evaluation.measure import SLICES
from tasks.evaluation.metrics import ndcg_at_k, recall_at_k
from tasks.evaluation.models import MODELS, RECENT, TEMPORAL_MODELS
from tasks.evaluation.past import past_stage
from tasks.evaluation.points import rank_popular
from tasks.evaluation.sources import read_context, read_split
from tasks.evaluation.split import Split
from tasks.evaluation.stage import evaluation_stage, learned_parameters
from tasks.evaluation.temporal import past_sources, temporal_stage
from tasks.holdout.stage import holdout_stage
from tasks.lake.plays import played_tracks
from tasks.lake.record import StageResult
from tests.tasks.evaluation import test_stage as world
from tests.tasks.evaluation.test_past import timed
from tests.tasks.evaluation.test_stage import CONTENT, HYBRID, TRACKS, client, ingested_lake

__all__ = ["client"]  # a fixture

PARAMETERS = world.PARAMETERS.model_copy(
    update={"temporal_listeners": 150, "temporal_share": 0.35, "temporal_tuning": 100}
)


@dataclass(frozen=True)
class Measured:
    """What a run makes of times."""

    past: StageResult
    neighbours: Neighbours
    evaluation: StageResult
    temporal: StageResult

    @property
    def rows(self) -> dict[tuple[str, str, str, int], dict[str, Any]]:
        """The evaluation table by model, segment, metric and k."""
        listed = self.temporal["evaluation"].read().to_pylist()
        return {(row["model"], row["segment"], row["metric"], row["k"]): row for row in listed}


def measure(lake: Path, client: Client, past: StageResult) -> Measured:
    """Take the steps of a run in order, from what the past stage wrote."""
    plays, own = past["interactions"], past["held_out"]
    few = CollaborativeParameters(neighbours=20)
    neighbours = Neighbours(
        collaborative_stage(lake, client, plays, played_tracks(past), own, few),
        content_stage(lake, client, past["tracks"], plays, own, (), (), CONTENT),
    )
    chosen = PARAMETERS.of_the_past()
    evaluation = evaluation_stage(lake, client, past, own, *neighbours, HYBRID, chosen)
    temporal = temporal_stage(lake, client, past, neighbours, evaluation, HYBRID, PARAMETERS)
    return Measured(past, neighbours, evaluation, temporal)


def value_of(
    measured: Measured, segments: tuple[Segment, ...], half_life: int = 0
) -> NDArray[np.float64]:
    """Rank every asked listener from scratch with these blends, and return NDCG@100 of each."""
    split = read_split(measured.past["asked"].path)
    learned = learned_parameters(measured.evaluation, HYBRID)
    sources = past_sources(measured.past, measured.neighbours, PARAMETERS)
    indptr, history = split.histories(np.arange(len(split)), split.fold_in)
    of = segment_of(np.diff(indptr), segments)
    weights = np.array([one.weight for one in segments])[of]
    priors = np.array([one.popularity for one in segments])[of]
    model = read_context(sources, learned).model
    days = split.history_days(np.arange(len(split)), split.fold_in)
    assert days is not None
    strong = strengths(indptr, days, half_life)
    lists = rank_histories(model, indptr, history, weights, priors, 100, strengths=strong).tracks
    return ndcg_at_k(lists, targets_of(split), 100)


def past_of(folder: Path, ingested: StageResult, day: NDArray[np.int64]) -> StageResult:
    """Write the past of a world whose listens were on these days."""
    held_out = holdout_stage(folder / "lake", ingested["users"], PARAMETERS)
    assert held_out is not None
    ours = timed(ingested, folder, day)
    past = past_stage(folder / "lake", ours, held_out, PARAMETERS)
    assert past is not None
    return past


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, client: Client) -> Measured:
    folder = tmp_path_factory.mktemp("timed")
    ingested = ingested_lake(folder, world.planted_plays(0))
    day = np.random.default_rng(1).integers(19_000, 19_365, ingested["interactions"].rows)
    return measure(folder / "lake", client, past_of(folder, ingested, day))


def test_every_model_is_measured_in_every_segment(measured: Measured) -> None:
    rows = measured.rows
    assert {segment.partition(":")[0] for _, segment, _, _ in rows} == {"temporal"}
    users = {name: rows[RECENT, f"temporal:{name}", "ndcg", 100]["users"] for name in
             ("all", "known", "new")}  # fmt: skip
    assert users["known"] == measured.past.counts["known_listeners"]
    assert users["new"] == measured.past.counts["new_listeners"]
    assert users["all"] == users["known"] + users["new"] == measured.past["asked"].rows
    for segment in ("all", "known", "new", "history:6-20", "history:>20", "listeners:>50"):
        for model in TEMPORAL_MODELS:
            row = rows[model, f"temporal:{segment}", "ndcg", 100]
            assert 0 <= row["ci_low"] <= row["value"] + 1e-9 <= row["ci_high"] + 2e-9 <= 1 + 2e-9
    lengths = [row for row in rows if row[0] == RECENT and "history:" in row[1] and row[2] == "map"]
    assert sum(rows[key]["users"] for key in lengths) == users["all"]
    # tastes are planted, and times say nothing
    value = {model: rows[model, "temporal:all", "ndcg", 100]["value"] for model in MODELS}
    assert value["collaborative"] > 1.2 * value["popularity"]
    assert value["hybrid"] > 0.95 * max(value["collaborative"], value["content"])
    gain = rows["hybrid", "temporal:all", "gain_over_popularity_recent", 100]
    recent = rows[RECENT, "temporal:all", "ndcg", 100]["value"]
    assert gain["value"] == pytest.approx(value["hybrid"] - recent)
    assert measured.temporal.counts["NDCG@100 hybrid"] == round(value["hybrid"], 4)
    checks = measured.temporal["data_quality"].read()["check_name"].to_pylist()
    assert "hybrid_keeps_up:temporal:known" in checks


def test_figures_are_those_of_the_published_ranking(measured: Measured) -> None:
    """Rank every listener from scratch, with what the other half supports."""
    split = read_split(measured.past["asked"].path)
    learned = learned_parameters(measured.evaluation, HYBRID)
    sources = past_sources(measured.past, measured.neighbours, PARAMETERS)
    context = read_context(sources, learned)
    everyone = np.arange(len(split))
    indptr, history = split.histories(everyone, split.fold_in)
    crossed = [
        moved_segments(learned.segments, found_on(measured.temporal["supported"].read(), half))
        for half in (1, 0)
    ]
    of = segment_of(np.diff(indptr), learned.segments)
    weights, priors = (
        np.array([[getattr(one, name) for one in segments] for segments in crossed])[split.half, of]
        for name in ("weight", "popularity")
    )
    wanted = targets_of(split)
    recent = measured.past["popularity"].read()["recent_listeners"].to_pylist()
    order = sorted(range(TRACKS), key=lambda track: (-recent[track], track))
    popular = np.full((len(of), 100), -1)
    for place in everyone.tolist():
        heard = set(history[indptr[place] : indptr[place + 1]].tolist())
        listed = [track for track in order if track not in heard][:100]
        popular[place, : len(listed)] = listed
    hybrid = rank_histories(context.model, indptr, history, weights, priors, 100).tracks
    rows = measured.rows
    for model, lists in (("hybrid", hybrid), (RECENT, popular)):
        for metric, k, function in (("ndcg", 100, ndcg_at_k), ("recall", 20, recall_at_k)):
            values = function(lists, wanted, k)
            row = rows[model, "temporal:all", metric, k]
            assert row["value"] == pytest.approx(values.mean(), abs=1e-12)
            is_new = measured.past["asked"].read()["is_held_out"].to_numpy()
            new = rows[model, "temporal:new", metric, k]
            assert new["value"] == pytest.approx(values[is_new].mean(), abs=1e-12)


def test_where_times_say_nothing_the_choice_stays(measured: Measured) -> None:
    learned = learned_parameters(measured.evaluation, HYBRID)
    moved = moved_parameters(measured.temporal, learned)
    assert moved.segments[0] == learned.segments[0]
    for before, after in zip(learned.segments, moved.segments, strict=True):
        assert after.weight == pytest.approx(before.weight, abs=0.1)
    assert moved.half_life == 0
    change = value_of(measured, moved.segments).mean() / value_of(measured, learned.segments).mean()
    assert change == pytest.approx(1, abs=0.01)


def test_what_is_played_next_moves_the_blend(tmp_path: Path, client: Client) -> None:
    """Cohorts share their history, so neighbours find what is hidden; taste decides what is next.

    The tracks that are played after the cut had few listeners before, so tags alone lead to them.
    """
    rng = np.random.default_rng(3)
    listeners = world.LISTENERS_IN_ALL
    track = np.arange(TRACKS)
    taste, cohort = (rng.integers(0, kinds, listeners)[:, None] for kinds in (world.TASTES, 4))
    likes = track % world.TASTES == taste
    before = (track < 100) & (track // 25 == cohort) & (rng.random(likes.shape) < 0.1 + 0.5 * likes)
    before |= (track >= 100) & (rng.random(likes.shape) < 0.02)
    after = (track >= 100) & likes & ~before & (rng.random(likes.shape) < 0.25)
    ingested = ingested_lake(tmp_path, before | after)
    is_later = after[np.nonzero(before | after)]
    day = np.where(is_later, 19_364, rng.integers(19_000, 19_350, len(is_later)))
    measured = measure(tmp_path / "lake", client, past_of(tmp_path, ingested, day))
    learned = learned_parameters(measured.evaluation, HYBRID)
    moved = moved_parameters(measured.temporal, learned)
    long = next(x for x, one in enumerate(learned.segments) if one.segment == "6-20")
    assert found_on(measured.temporal["supported"].read())[6].support > 0.8
    assert moved.segments[long].weight < learned.segments[long].weight - 0.3
    assert moved.segments[0] == learned.segments[0]
    gain = value_of(measured, moved.segments) - value_of(measured, learned.segments)
    assert gain.mean() > 3 * gain.std() / np.sqrt(len(gain))
    # and the figures of the run have this gain, cross-fitted
    hybrid = measured.rows["hybrid", "temporal:all", "ndcg", 100]["value"]
    assert hybrid > 1.05 * value_of(measured, learned.segments).mean()


def test_a_taste_that_changes_turns_the_half_life_on(tmp_path: Path, client: Client) -> None:
    """Everybody had another taste until 300 days before the cut, and goes on with the new one."""
    rng = np.random.default_rng(7)
    listeners = world.LISTENERS_IN_ALL
    track = np.arange(TRACKS)
    old = rng.integers(0, world.TASTES, listeners)[:, None]
    new = (old + rng.integers(1, world.TASTES, listeners)[:, None]) % world.TASTES
    liked_then, liked_now = track % world.TASTES == old, track % world.TASTES == new
    then = liked_then & (rng.random(liked_then.shape) < 0.3)
    now = liked_now & (rng.random(liked_now.shape) < 0.15)
    after = liked_now & ~now & (rng.random(liked_now.shape) < 0.2)
    ingested = ingested_lake(tmp_path, then | now | after)
    listened = np.nonzero(then | now | after)
    day = np.where(
        then[listened],
        rng.integers(18_400, 18_700, len(listened[0])),
        np.where(now[listened], rng.integers(19_000, 19_350, len(listened[0])), 19_364),
    )
    measured = measure(tmp_path / "lake", client, past_of(tmp_path, ingested, day))
    learned = learned_parameters(measured.evaluation, HYBRID)
    moved = moved_parameters(measured.temporal, learned)
    half_lives = measured.temporal["half_lives"].read()
    assert moved.half_life == chosen_half_life(half_lives) > 0
    assert measured.temporal.counts["half-life in days"] == moved.half_life
    without = value_of(measured, learned.segments)
    gain = value_of(measured, learned.segments, moved.half_life) - without
    assert gain.mean() > 3 * gain.std() / np.sqrt(len(gain))
    tried = {row["half_life"]: row["ndcg"] for row in half_lives.to_pylist() if row["half"] == 2}
    assert tried[0] == pytest.approx(without.mean(), abs=1e-12)
    assert tried[moved.half_life] == pytest.approx(without.mean() + gain.mean(), abs=1e-12)
    # and the figures of the run have this gain, cross-fitted
    hybrid = measured.rows["hybrid", "temporal:all", "ndcg", 100]["value"]
    assert hybrid > without.mean() + gain.mean() / 2


def test_a_future_that_is_easy_to_see_is_not_seen(tmp_path: Path, client: Client) -> None:
    """After the cut everybody plays hits that nobody has played before: no model knows them."""
    rng = np.random.default_rng(5)
    played = np.zeros((300, TRACKS), np.bool_)
    played[:, :100] = rng.random((300, 100)) < 0.12
    played[:, 0] = True
    hits = np.arange(120, 130)
    played[:, hits] = rng.random((300, len(hits))) < 0.5
    ingested = ingested_lake(tmp_path, played, tagged=False)
    _, track = np.nonzero(played)
    day = np.where(track >= 120, 19_364, rng.integers(19_000, 19_350, len(track)))
    past = past_of(tmp_path, ingested, day)
    rows = measure(tmp_path / "lake", client, past).rows
    assert {row[0] for row in rows if row[1] == f"temporal:listeners:{SLICES[0][0]}"}
    assert [rows[model, "temporal:all", "recall", 20]["value"] for model in TEMPORAL_MODELS] == [
        0.0
    ] * len(TEMPORAL_MODELS)
    # whoever sees the future finds the hits
    split = read_split(past["asked"].path)
    everyone = np.arange(len(split))
    catalogue = BlendCatalogue.from_tracks(ingested["tracks"].read())
    lists = rank_popular(catalogue, *split.histories(everyone, split.fold_in), 20)
    assert recall_at_k(lists, targets_of(split), 20).mean() > 0.9


def targets_of(split: Split) -> sparse.csr_array:
    """Return listeners × tracks to be found."""
    at, targets = split.to_find(np.arange(len(split)))
    return sparse.csr_array((np.ones(len(targets)), targets, at), shape=(len(split), TRACKS))
