"""The kernel's lists of close artists against a slow oracle, and signatures against angles."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tasks.music.audiences import Credits, audiences
from tasks.music.nearest import (
    LEAST_EVIDENCE,
    MORE_LISTENERS,
    MORE_TRACKS,
    POPULARITY,
    nearest_artists,
)
from tasks.music.signatures import signatures
from warehouse.contract.constants import SOUND_BITS, TICKS, WEIGHT_SCALE

GAMMA = 0.3


def _ticks(score: float) -> int:
    return math.floor(score * TICKS + 0.5)


def _evidence(shared: int, listeners: int, most: int) -> float:
    """C of docs/scoring.md."""
    if not shared:
        return 0.0
    certain = (shared - math.sqrt(shared)) / math.sqrt(listeners + MORE_LISTENERS)
    return certain + POPULARITY * listeners / most


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), artists=st.integers(1, 30), listeners=st.integers(0, 20))
def test_lists_are_those_of_sets_of_listeners(seed: int, artists: int, listeners: int) -> None:
    rng = np.random.default_rng(seed)
    made_by = [sorted(rng.choice(artists, min(artists, int(rng.integers(0, 4))), replace=False))
               for _ in range(25)]  # fmt: skip
    plays = [(u, j) for u in range(listeners) for j in range(25) if u % 4 and rng.random() < 0.2]
    starts = np.cumsum([0, *map(len, made_by)])
    credited = Credits(starts, np.concatenate(made_by).astype(np.int32), artists)
    users, tracks = np.array(plays, np.int32).reshape(-1, 2).T
    heard_by = audiences(users, tracks, credited)
    fans = [{u for u, j in plays if artist in made_by[j]} for artist in range(artists)]
    assert heard_by.listeners.tolist() == [len(fan) for fan in fans]
    likeness = np.where(
        rng.random((artists, artists)) < 0.4, rng.integers(1, 90, (artists, artists)), 0
    )
    np.fill_diagonal(likeness, 0)
    sizes = np.bincount(credited.artists, minlength=artists)
    found = nearest_artists(heard_by, sparse.csr_array(likeness), sizes, GAMMA, threads=2)
    for artist in range(artists):
        others = [b for b in range(artists) if fans[artist] & fans[b] or likeness[artist, b]]
        others = [b for b in others if b != artist]
        c = {b: _evidence(len(fans[artist] & fans[b]), len(fans[b]), max(map(len, fans)))
             for b in others}  # fmt: skip
        d = {b: likeness[artist, b] / math.sqrt(sizes[b] + MORE_TRACKS) for b in others}
        listed = found.keys[artist] >= 0
        assert sorted(found.keys[artist][listed]) == others
        for b, shared, c_ticks, d_ticks in zip(
            *(part[artist][listed] for part in found), strict=True
        ):
            of_content = math.sqrt(d[b] / max(d.values())) if max(d.values()) else 0.0
            by_listeners = GAMMA * of_content
            if fans[b] and max(c.values()):
                by_listeners = math.sqrt(c[b] / max(LEAST_EVIDENCE, *c.values()))
            assert shared == len(fans[artist] & fans[b])
            assert abs(int(c_ticks) - _ticks(by_listeners)) <= 1
            assert abs(int(d_ticks) - _ticks(of_content)) <= 1


def test_one_listener_in_common_puts_no_unknown_artist_first() -> None:
    """Artist 0 has 9 listeners. Two of them know 1, as do 40 others; one alone knows 2."""
    plays = [*((u, 0) for u in range(9)), (0, 1), (1, 1), *((u, 1) for u in range(9, 49)), (2, 2)]
    users, artists = np.array(sorted(plays), np.int32).T
    credited = Credits(np.arange(4), np.arange(3, dtype=np.int32), 3)
    found = nearest_artists(
        audiences(users, artists, credited), sparse.csr_array((3, 3), dtype=np.int64),
        np.ones(3, np.int64), GAMMA, threads=1,
    )  # fmt: skip
    c = dict(zip(found.keys[0], found.collaborative[0], strict=True))
    # of the count alone, 2 / √(42 + 20) = 0.2540 is not far above 1 / √(1 + 20) = 0.2182
    least = (2 - math.sqrt(2)) / math.sqrt(20)
    assert c[1] == _ticks(math.sqrt(((2 - math.sqrt(2)) / math.sqrt(42 + 20) + 0.001) / least))
    assert c[2] == _ticks(math.sqrt(0.001 * 1 / 42 / least))
    assert c[1] > 50 * c[2]


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.5, math.pi])
def test_signatures_differ_by_the_angle_between_two_tracks(angle: float) -> None:
    rng = np.random.default_rng(0)
    pairs = rng.standard_normal((200, 2, 30))
    for one, other in pairs:  # turn the other one to stand at the angle
        one /= np.linalg.norm(one)
        other -= (other @ one) * one
        other[:] = math.cos(angle) * one + math.sin(angle) * other / np.linalg.norm(other)
    vectors = np.concatenate([pairs.reshape(-1, 30), -pairs.reshape(-1, 30)]).astype(np.float32)
    nothing = sparse.csr_array(np.zeros((len(vectors), len(vectors)), np.float32))
    sound = signatures(vectors, nothing).sound[: 2 * len(pairs)]
    differing = np.bitwise_count(sound[::2] ^ sound[1::2]).sum(axis=1)
    assert differing.mean() / SOUND_BITS == pytest.approx(angle / math.pi, abs=0.01)


def test_tracks_of_the_same_listeners_have_the_same_taste() -> None:
    edges = np.zeros((60, 60), np.float32)
    for circle in (slice(0, 30), slice(30, 60)):
        edges[circle, circle] = WEIGHT_SCALE
    np.fill_diagonal(edges, 0)
    taste = signatures(np.zeros((60, 1), np.float32), sparse.csr_array(edges)).taste[:, 0]
    within = np.bitwise_count(taste[0] ^ taste[1:30])
    across = np.bitwise_count(taste[0] ^ taste[30:])
    assert within.max() < across.min()
