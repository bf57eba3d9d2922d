"""Interactions as files: the same arrays as in memory, however the plays come in."""

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from tasks.collaborative.interactions import Interactions
from tasks.collaborative.mapped import mapped_interactions, write_interactions
from tests.tasks.collaborative import oracle

ARRAYS = ("user_starts", "user_tracks", "track_starts", "track_users")


def pairs(X: Interactions) -> tuple[oracle.Keys, oracle.Keys]:
    users = np.repeat(np.arange(X.users, dtype=np.int32), X.tracks_played)
    return users, X.user_tracks.astype(np.int32)


@pytest.mark.parametrize("batch", [1, 7, 10_000])
@pytest.mark.parametrize("tracks", [30, 70_000])
def test_batches_do_not_show(tmp_path: Path, batch: int, tracks: int) -> None:
    rng = np.random.default_rng(31)
    density = 6 / tracks
    X = Interactions.of(sparse.random_array((80, tracks), density=density, rng=rng).tocsr())
    played = np.flatnonzero(X.tracks_played)
    users, keys = pairs(X)
    spread = 3 * users + 5  # gaps between listeners close
    batches = [
        (spread[start : start + batch], keys[start : start + batch])
        for start in range(0, len(users), batch)
    ]
    none = (np.empty(0, np.int32), np.empty(0, np.int32))
    write_interactions([none, *batches, none], tracks, tmp_path / "plays")
    found = mapped_interactions(tmp_path / "plays")
    dense = oracle.dense(X)[played]
    expected = Interactions.of(sparse.csr_array(dense))
    for name in ARRAYS:
        ours, theirs = getattr(found, name), getattr(expected, name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(oracle.dense(found), dense)


def test_columns_list_their_listeners_in_order() -> None:
    X = oracle.random_interactions(33, 90, 40, 0.2)
    columns = sparse.csc_array(oracle.dense(X))
    np.testing.assert_array_equal(X.track_starts, columns.indptr)
    np.testing.assert_array_equal(X.track_users, columns.indices)


def test_no_plays_and_a_second_writing(tmp_path: Path) -> None:
    folder = tmp_path / "plays"
    write_interactions([], 5, folder)
    X = mapped_interactions(folder)
    assert (X.users, X.tracks, X.plays) == (0, 5, 0)
    one = np.zeros(1, np.int32)
    write_interactions([(one, one + 2)], 5, folder)
    again = mapped_interactions(folder)
    assert again.listeners.tolist() == [0, 0, 1, 0, 0]
    again.user_tracks[0] = 4  # this view's own page
    assert mapped_interactions(folder).user_tracks.tolist() == [2]
    assert [path.name for path in tmp_path.iterdir()] == ["plays"]
