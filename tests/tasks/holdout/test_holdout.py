"""Who is held out and how histories are split: stable, disjoint, the same run after run."""

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
from tasks.holdout.listeners import held_out_listeners


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


def held_out_ids(table: pa.Table, parameters: EvaluationParameters) -> set[str]:
    keys = held_out_listeners(table, parameters)
    assert np.all(np.diff(keys) > 0)
    ids: list[str] = table["user_id"].take(pa.array(keys)).to_pylist()
    return set(ids)


@pytest.mark.parametrize(
    ("listeners", "share", "expected"),
    [
        (1_000, 0.1, 200),  # at least 200
        (9_000, 0.05, 450),  # the share
        (9_000, 0.5, 3_000),  # at most max_listeners
        (300, 0.01, 150),  # never more than half
        (9_000, 0.0, 0),  # switched off
        (0, 0.01, 0),
        (1, 0.5, 0),
    ],
)
def test_how_many(listeners: int, share: float, expected: int) -> None:
    parameters = EvaluationParameters(holdout=share, max_listeners=3_000)
    assert len(held_out_listeners(users(listeners), parameters)) == expected


def test_nobody_who_cannot_be_split() -> None:
    table = users(400)
    keys = held_out_listeners(table, EvaluationParameters(holdout=0.5))
    assert table["tracks_played"].to_numpy()[keys].min() == 2


def test_the_same_listeners_when_others_come_and_the_share_grows() -> None:
    some, more = users(2_000), users(3_000)
    parameters = EvaluationParameters(min_listeners=2, holdout=0.1)
    before = held_out_ids(some, parameters)
    wider = parameters.model_copy(update={"holdout": 0.2})
    assert before < held_out_ids(some, wider)
    # Of the listeners there were, the same ones stay as long as the threshold lets them
    assert len(before & held_out_ids(more, parameters)) > 0.8 * len(before)
    assert before != held_out_ids(some, parameters.model_copy(update={"seed": 1}))


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
