"""Encoders: similarities worked out by hand, and properties that hold for every column."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.content.encoders import LabelCounts, MusicalKey, SoftBins, to_floats
from tasks.content.features import YEARS

NAN = float("nan")


def key_similarity(a: tuple[float, float], b: tuple[float, float]) -> float:
    rows = MusicalKey().transform(np.array([a, b])).toarray()
    return float(rows[0] @ rows[1])


def test_keys_lie_on_the_circle_of_fifths() -> None:
    c_major, g_major, a_minor, f_sharp_major = (0, 1), (7, 1), (9, 0), (6, 1)
    place, mode = 0.75, 0.25
    assert key_similarity(c_major, c_major) == pytest.approx(1)
    assert key_similarity(c_major, g_major) == pytest.approx(place * np.cos(np.pi / 6) + mode)
    assert key_similarity(c_major, a_minor) == pytest.approx(place - mode)
    assert key_similarity(c_major, f_sharp_major) == pytest.approx(-place + mode)
    # C and C sharp are neighbours on a keyboard, not in music: five fifths apart.
    assert key_similarity(c_major, (1, 1)) < key_similarity(c_major, (2, 1))


def test_unknown_keys_are_zero_and_unknown_modes_left_out() -> None:
    encoder = MusicalKey()
    assert encoder.transform(np.array([[NAN, 1], [12, 1], [-1, 0], [2.5, 1]])).nnz == 0
    assert key_similarity((0, NAN), (0, NAN)) == pytest.approx(1)


def test_years_are_a_distance_in_time() -> None:
    years = np.arange(1950.0, 2021.0).reshape(-1, 1)
    rows = SoftBins(YEARS).fit(years).transform(years).toarray()
    similarity = rows @ rows.T
    inner = slice(20, 50)
    for apart in (1, 4, 10):
        expected = np.exp(-((apart / YEARS) ** 2) / 4)
        found = np.diagonal(similarity, apart)[inner]
        assert found == pytest.approx(expected, abs=0.05)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.none() | st.floats(-1e6, 1e6, width=32), min_size=3, max_size=30).filter(
        lambda xs: len({x for x in xs if x is not None}) >= 2
    )
)
def test_soft_bins_have_length_one_or_zero(values: list[float | None]) -> None:
    column = to_floats([pa.array(values, pa.float64())])
    rows = SoftBins(0.5).fit(column).transform(column)
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)))
    assert np.isfinite(lengths).all()
    expected = [0.0 if value is None else 1.0 for value in values]
    assert lengths == pytest.approx(expected)


def test_labels_of_one_track_or_of_all_tracks_say_nothing() -> None:
    tags = pa.array([["a", "all", "one"], ["a", "all"], None, ["all"], ["all", None, "b"], ["b"]])
    counts = LabelCounts(10).fit(tags)
    assert counts.labels_.to_pylist() == ["a", "all", "b"]
    everywhere = pa.array([["x", "y"], ["x", "y"], ["x"]])
    assert LabelCounts(10).fit(everywhere).labels_.to_pylist() == ["y"]


def test_the_vocabulary_keeps_the_most_frequent() -> None:
    tags = pa.array([["c", "b", "a"], ["c", "b", "a"], ["c"], []])
    counts = LabelCounts(2).fit(tags)
    assert counts.labels_.to_pylist() == ["a", "c"]  # b loses its tie with a
    assert counts.transform(tags).toarray().tolist() == [[1, 1], [1, 1], [0, 1], [0, 0]]


def test_numbers_in_text_are_read_and_other_text_is_unknown() -> None:
    column = pa.array([" 7 ", "3.0", "-1e2", "C#", "", None, "nan", "inf"])
    values = to_floats([column])[:, 0]
    assert values[:3].tolist() == [7.0, 3.0, -100.0]
    assert np.isnan(values[3:]).all()
