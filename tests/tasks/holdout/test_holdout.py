"""Who is held out and how histories are split: stable, disjoint, the same run after run."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tasks.blend.parameters import DEFAULT_SEGMENTS
from tasks.evaluation.cases import AS_IS, heavy_in, light_in, report_cases, tuning_cases
from tasks.evaluation.choice import Choice
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.split import HEAVY, Split
from tasks.holdout.hashing import id_hashes
from tasks.holdout.rule import HoldoutRule, held_out_listeners, holdout_rule
from tasks.holdout.stage import holdout_stage, rule_of
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet


def users(n: int, start: int = 0, seed: int = 0) -> pa.Table:
    """Return n listeners, one in four of them with a single track."""
    tracks = np.random.default_rng(seed).integers(1, 5, n)
    return pa.table(
        {
            "user_key": np.arange(n, dtype=np.int32),
            "user_id": [f"listener {start + x:06}" for x in range(n)],
            "tracks_played": tracks.astype(np.int32),
        }
    )


def rule(
    table: pa.Table, parameters: EvaluationParameters, before: HoldoutRule | None = None
) -> HoldoutRule:
    found = holdout_rule(table, parameters, before)
    assert found is not None
    return found


def held_out_ids(table: pa.Table, rule: HoldoutRule) -> set[str]:
    keys = held_out_listeners(table, rule)
    assert np.all(np.diff(keys) > 0)
    ids: list[str] = table["user_id"].take(pa.array(keys)).to_pylist()
    return set(ids)


@pytest.mark.parametrize(
    ("listeners", "holdout", "expected"),
    [
        (1_000, 0.1, 0.4),  # three in four can be measured: 150 with 0.2
        (9_000, 0.05, 0.05),  # the share itself
        (9_000, 0.5, 0.25),  # at most max_listeners
        (300, 0.01, 0.32),  # 0.64 would be more than half
        (40_000, 0.01, 0.01),
        (8_000, 0.01, 0.04),
    ],
)
def test_the_share_is_the_one_asked_for_or_that_doubled_or_halved(
    listeners: int, holdout: float, expected: float
) -> None:
    parameters = EvaluationParameters(holdout=holdout, max_listeners=3_000)
    table = users(listeners)
    assert rule(table, parameters).share == expected
    held_out = len(held_out_ids(table, rule(table, parameters)))
    spread = np.sqrt(listeners * expected * (1 - expected))
    assert abs(held_out - expected * listeners) < 4 * spread


@pytest.mark.parametrize("listeners", [0, 1])
def test_nobody_is_held_out_of_nobody(listeners: int) -> None:
    table = users(listeners)
    chosen = holdout_rule(table, EvaluationParameters(holdout=0.5))
    assert chosen is None or held_out_ids(table, chosen) == set()
    assert holdout_rule(users(1_000), EvaluationParameters(holdout=0)) is None


@given(st.integers(1, 40), st.integers(0, 2**31 - 1))
@settings(max_examples=60, deadline=None)
def test_never_more_than_half(listeners: int, seed: int) -> None:
    table, parameters = users(listeners), EvaluationParameters(holdout=0.5, seed=seed)
    chosen = rule(table, parameters)
    assert len(held_out_ids(table, chosen)) <= listeners // 2


@given(st.lists(st.floats(-0.3, 0.6), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_growth_by_less_than_four_times_moves_the_share_at_most_once(changes: list[float]) -> None:
    """Whatever the data does, nobody stays who should go, and the share does not flutter."""
    parameters = EvaluationParameters(min_listeners=50, max_listeners=400)
    size, before = 2_000.0, rule(users(2_000), parameters)
    for change in changes:
        size = min(max(size * (1 + change), 100.0), 60_000.0)
        table = users(round(size))
        eligible = int((table["tracks_played"].to_numpy() >= 2).sum())
        after = rule(table, parameters, before)
        steps = np.log2(after.share / parameters.holdout)
        assert steps == round(steps)
        assert after.share * eligible <= 400
        assert after.share * eligible >= 50 or 2 * after.share > 0.5
        bounds_hold = 50 <= before.share * eligible <= 400
        if bounds_hold and before.share * eligible < 200 and before.share >= parameters.holdout:
            assert after == before
        before = after


def test_a_listener_stays_held_out_whoever_else_comes_and_whatever_they_play() -> None:
    some, more = users(2_000), users(3_000, seed=1)
    parameters = EvaluationParameters(min_listeners=2, holdout=0.1)
    before, after = rule(some, parameters), rule(more, parameters)
    assert before == after
    here = set(some["user_id"].to_pylist())
    assert held_out_ids(more, after) & here == held_out_ids(some, before)
    wider = rule(some, parameters.model_copy(update={"holdout": 0.2}))
    assert held_out_ids(some, before) < held_out_ids(some, wider)
    other = rule(some, parameters.model_copy(update={"seed": 1}))
    assert held_out_ids(some, before) != held_out_ids(some, other)


def test_the_stage_keeps_its_rule(tmp_path: Path) -> None:
    file = tmp_path / "users.parquet"
    write_parquet(users(3_000), file)
    parameters = EvaluationParameters(min_listeners=20)
    wide = HoldoutRule(seed=0, share=0.02)
    for before in (None, wide):
        held_out = holdout_stage(tmp_path / "lake", Dataset.of(file), parameters, before)
        assert held_out is not None
        expected = rule(users(3_000), parameters, before)
        assert rule_of(held_out) == expected
        assert (expected == wide) == (before is not None)
    alone = tmp_path / "alone.parquet"
    write_parquet(
        users(3_000).filter(pa.array(users(3_000)["tracks_played"].to_numpy() < 2)), alone
    )
    assert holdout_stage(tmp_path / "lake", Dataset.of(alone), parameters) is None


def random_split(
    seed: int, listeners: int = 40, tracks: int = 60
) -> tuple[Split, NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    played = rng.random((listeners, tracks)) < rng.random((listeners, 1)) ** 2
    played[np.arange(listeners), 0] = played[np.arange(listeners), 1] = True
    row, track = np.nonzero(played)
    hashes = id_hashes(pa.array([f"u{x}" for x in range(listeners)]), 0)
    of_track = id_hashes(pa.array([f"t{x}" for x in range(tracks)]), 0)
    return Split.of(hashes, row, track.astype(np.int32), of_track), played


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_a_split_gives_every_track_one_place(seed: int) -> None:
    split, played = random_split(seed)
    everyone = np.arange(len(split))
    found_at, found = split.to_find(everyone)
    folded_at, folded = split.histories(everyone, split.fold_in)
    for u in everyone:
        targets = found[found_at[u] : found_at[u + 1]].tolist()
        history = folded[folded_at[u] : folded_at[u + 1]].tolist()
        assert sorted(targets + history) == np.flatnonzero(played[u]).tolist()
        assert history == sorted(history)
        n = int(played[u].sum())
        assert len(targets) == max(1, int(n / 5 + 0.5))
        cut = split.histories(np.array([u]), np.array([1]))[1]
        assert set(cut.tolist()) <= set(history)


def test_a_new_track_moves_no_other_one() -> None:
    before, played = random_split(3)
    rng = np.random.default_rng(0)
    wider = np.hstack([played, rng.random((len(played), 10)) < 0.3])
    row, track = np.nonzero(wider)
    hashes = id_hashes(pa.array([f"t{x}" for x in range(70)]), 0)
    after = Split.of(before.hashes, row, track.astype(np.int32), hashes)
    for u in range(len(before)):
        old = before.tracks[before.indptr[u] : before.indptr[u + 1]]
        new = after.tracks[after.indptr[u] : after.indptr[u + 1]]
        np.testing.assert_array_equal(new[new < 60], old)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_lengths_are_drawn_from_the_segment(seed: int) -> None:
    split, _ = random_split(seed)
    for s, segment in enumerate(DEFAULT_SEGMENTS[1:4]):
        assert segment.max_tracks is not None
        heavy = heavy_in(split, segment)
        lengths = split.drawn_lengths(segment.min_tracks, segment.max_tracks, s)[heavy]
        assert np.all(lengths >= segment.min_tracks)
        assert np.all(lengths <= np.minimum(segment.max_tracks, split.fold_in[heavy]))


def test_lengths_reach_both_ends_of_the_range() -> None:
    split, _ = random_split(1, listeners=400)
    lengths = split.drawn_lengths(2, 5, 0)[split.fold_in >= HEAVY]
    assert set(lengths) == {2, 3, 4, 5}


def test_cases_are_light_listeners_as_they_are_and_heavy_ones_truncated() -> None:
    split, _ = random_split(2, listeners=300)
    cases = tuning_cases(split, DEFAULT_SEGMENTS, 10_000).to_pandas()
    for s, segment in enumerate(DEFAULT_SEGMENTS):
        ours = cases[cases.segment == s]
        if s == 0:
            assert ours.empty
            continue
        top = segment.max_tracks or 10**6
        assert ours.length.between(segment.min_tracks, top).all()
        expected = np.flatnonzero(heavy_in(split, segment) | light_in(split, segment))
        assert ours.listener.tolist() == expected.tolist()
    few = tuning_cases(split, DEFAULT_SEGMENTS, 20).to_pandas()
    assert few.groupby("segment").size().max() == 20
    assert set(map(tuple, few.to_numpy())) <= set(map(tuple, cases.to_numpy()))


def test_each_half_is_reported_with_what_its_choice_says() -> None:
    split, _ = random_split(4, listeners=300)
    choices = []
    for weight in (0.25, 0.75):
        segments = tuple(s.model_copy(update={"weight": weight}) for s in DEFAULT_SEGMENTS)
        choices.append(Choice(segments, gamma=weight))
    cases = report_cases(split, (choices[0], choices[1]), 50).to_pandas()
    half = split.half[cases.listener]
    assert 100 < split.half.sum() < 200
    assert (cases.weight[half == 0] == 0.25).all()
    assert (cases.weight[half == 1] == 0.75).all()
    assert (cases.gamma == cases.weight).all()
    as_is = cases[cases.segment == AS_IS]
    assert cases[cases.segment != AS_IS].groupby("segment").size().tolist() == [50, 50, 50]
    assert sorted(as_is.listener) == list(range(300))
    assert (as_is.length == split.fold_in[as_is.listener]).all()
