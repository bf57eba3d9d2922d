"""Unit tests of the sample's quantile functions and names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.sample.music_info import make_track_ids
from tasks.sample.names import NUMERIC_ARTISTS, artist_names, track_names
from tasks.sample.shapes import (
    TOP_TRACK_SHARE,
    even_ranks,
    play_count_table,
    quantiles,
    track_popularity,
    tracks_per_listener,
)
from tasks.sample.streams import stream


def test_quantiles_are_log_linear_between_knots() -> None:
    knots = ((0.0, 1.0), (0.5, 4.0), (1.0, 64.0))
    read = quantiles(knots, np.array([0.0, 0.25, 0.5, 0.75, 1.0]))
    np.testing.assert_allclose(read, [1, (1 * 4) ** 0.5, 4, (4 * 64) ** 0.5, 64])


def test_even_ranks_are_the_middles_of_equal_shares() -> None:
    np.testing.assert_allclose(even_ranks(4), [1 / 8, 3 / 8, 5 / 8, 7 / 8])


@settings(max_examples=50, deadline=None)
@given(users=st.integers(1, 3000), most=st.integers(1, 800), seed=st.integers(0, 99))
def test_history_lengths_stay_within_bounds(users: int, most: int, seed: int) -> None:
    lengths = tracks_per_listener(users, most, np.random.default_rng(seed))
    assert lengths.shape == (users,)
    assert lengths.min() >= 1
    assert lengths.max() <= most


@settings(max_examples=50, deadline=None)
@given(tracks=st.integers(120, 20_000), seed=st.integers(0, 99))
def test_popularity_is_a_distribution_in_the_order_of_appeal(tracks: int, seed: int) -> None:
    score = np.random.default_rng(seed).standard_normal(tracks)
    popularity = track_popularity(score, plays_per_user=10)
    assert popularity.sum() == pytest.approx(1)
    assert np.all(np.diff(popularity[np.argsort(score)]) >= 0)
    assert popularity.max() * 10 <= TOP_TRACK_SHARE * 1.001


def test_play_counts_have_the_published_shares_and_mean() -> None:
    table = play_count_table()
    shares = np.diff(table, prepend=0)
    assert table[0] == pytest.approx(0.608)
    assert table[1] == pytest.approx(0.608 + 0.156)
    assert table[-1] == pytest.approx(1)
    assert shares @ np.arange(1, len(table) + 1) == pytest.approx(2.6, abs=0.05)


def test_track_ids_are_distinct_and_repeatable() -> None:
    ids = make_track_ids(50_000, seed=3)
    assert len(set(ids)) == 50_000
    assert ids == make_track_ids(50_000, seed=3)
    assert ids != sorted(ids)


def test_artist_names_stay_distinct_when_words_run_out() -> None:
    kinds = ["Japanese"] * 2000  # few words to build from
    names = artist_names(kinds, stream(0, "names"))
    assert len(set(names)) == 2000
    assert names[:4] == list(NUMERIC_ARTISTS)


def test_the_fewest_artists_have_every_quirk() -> None:
    names = artist_names(["Rock"] * 20, stream(1, "names"))
    for sign in (",", '"'):
        assert sign in "".join(names)
    assert any(not name.isascii() for name in names)


def test_every_track_has_a_title() -> None:
    titles = track_names(["Rock", "Metal", "Japanese"] * 500, stream(0, "titles"))
    assert len(titles) == 1500
    assert all(title.strip() for title in titles)
    assert len(set(titles)) > 750


def test_streams_are_independent_by_purpose_and_block() -> None:
    draws = {
        (purpose, index): tuple(stream(0, purpose, index).integers(2**62, size=2))
        for purpose in ("plays", "user ids")
        for index in (0, 1)
    }
    assert len(set(draws.values())) == 4
    assert draws["plays", 1] == tuple(stream(0, "plays", 1).integers(2**62, size=2))
