"""The kernel against the plain definition, and its promises as properties."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tasks.blend.kernels.rank import Histories, RankedLists
from tasks.blend.kernels.sums import LONGEST_HISTORY
from tasks.blend.model import BlendCatalogue, EdgeTable, HybridModel
from tasks.blend.parameters import HybridParameters
from tasks.blend.ranking import rank_histories
from tasks.blend.strength import STRONGEST
from tasks.lake.contracts.edges import EDGES
from tests.tasks.blend.oracle import Row, rank
from tests.tasks.blend.worlds import random_model
from warehouse.contract.constants import TICKS, WEIGHT_SCALE, Source


def _rows(lists: RankedLists, u: int, history: NDArray[np.int32]) -> list[Row]:
    return [
        Row(
            int(track),
            int(lists.collaborative[u, r]),
            int(lists.content[u, r]),
            int(lists.score[u, r]),
            Source(lists.source[u, r]).name.lower(),
            None if lists.because[u, r] < 0 else int(history[lists.because[u, r]]),
        )
        for r, track in enumerate(lists.tracks[u])
        if track >= 0
    ]


def _sets(given: list[NDArray[np.int32]]) -> Histories:
    indptr = np.cumsum([0, *(len(one) for one in given)]).astype(np.int64)
    return Histories(indptr, np.concatenate(given))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 40),
    weight=st.sampled_from([0.0, 0.3, 0.5, 0.77, 1.0]),
    prior=st.sampled_from([0.0, 0.1, 2.0]),
    k=st.sampled_from([1, 3, 10, 60]),
    disliked=st.sampled_from([0.0, 0.2, 0.9, 1.0]),
    strongest=st.sampled_from([0, 1, 2, 8]),
)
def test_lists_equal_the_plain_definition(
    seed: int, n: int, weight: float, prior: float, k: int, disliked: float, strongest: int
) -> None:
    rng = np.random.default_rng(seed)
    parameters = HybridParameters(popular_candidates=int(rng.integers(1, 8)))
    model = random_model(rng, n, parameters)
    lengths = [0, *rng.integers(0, n + 1, 5)]
    histories = [np.sort(rng.permutation(n)[:length]).astype(np.int32) for length in lengths]
    dislikes = [
        np.array([j for j in range(n) if j not in history and rng.random() < disliked], np.int32)
        for history in histories
    ]
    played, left_out = _sets(histories), _sets(dislikes)
    full = np.full(len(histories), weight), np.full(len(histories), prior)
    of = [rng.integers(1, max(2, strongest + 1), len(one)).astype(np.uint8) for one in histories]
    strengths = np.concatenate(of) if strongest else None  # 0: not given
    lists = rank_histories(model, *played, *full, k, left_out, strengths)
    for u, history in enumerate(histories):
        exclude = frozenset(int(j) for j in dislikes[u])
        strong = of[u].tolist() if strongest else None
        given_history = [int(i) for i in history]
        expected = rank(model, given_history, weight, prior, exclude, strengths=strong)[:k]
        assert _rows(lists, u, history) == expected


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 40), times=st.sampled_from([2, 3, 7, 31]))
def test_a_history_all_of_whose_strengths_grow_alike_has_the_same_lists(
    seed: int, n: int, times: int
) -> None:
    rng = np.random.default_rng(seed)
    model = random_model(rng, n, HybridParameters(popular_candidates=3))
    histories = [np.sort(rng.permutation(n)[: 1 + n // 3]).astype(np.int32) for _ in range(4)]
    played = _sets(histories)
    full = np.full(4, 0.6), np.full(4, 0.1)
    strengths = rng.integers(1, 9, len(played.tracks)).astype(np.uint8)
    before = rank_histories(model, *played, *full, 10, None, strengths)
    after = rank_histories(model, *played, *full, 10, None, (times * strengths).astype(np.uint8))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_strengths_all_tracks_count_once() -> None:
    rng = np.random.default_rng(1)
    model = random_model(rng, 60, HybridParameters())
    played = _sets([np.sort(rng.permutation(60)[:9]).astype(np.int32) for _ in range(20)])
    full = np.full(20, 0.6), np.full(20, 0.1)
    given_none = rank_histories(model, *played, *full, 20)
    given_ones = rank_histories(model, *played, *full, 20, None, np.ones(180, np.uint8))
    for one, other in zip(given_none, given_ones, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_strongest_history_there_is_has_exact_sums() -> None:
    """As many tracks as strength 8 has room for, all with the largest edges to two others."""
    tracks = LONGEST_HISTORY // STRONGEST
    n = tracks + 2
    source = np.repeat(np.arange(tracks), 2)
    target = np.tile([tracks, tracks + 1], tracks)
    edges = [
        EdgeTable.from_edges(
            pa.table([source, target, np.where(target == tracks, full, less)], schema=EDGES), n
        )
        for full, less in ((-WEIGHT_SCALE, WEIGHT_SCALE), (WEIGHT_SCALE, 1))
    ]
    listeners = pa.array([1] * n, pa.int32())
    catalogue = BlendCatalogue.from_tracks(
        pa.table({"listeners": listeners, "artist_key": pa.nulls(n, pa.int32())})
    )
    model = HybridModel(edges[0], edges[1], catalogue, HybridParameters())
    history = np.arange(tracks, dtype=np.int32)
    strong = np.full(tracks, STRONGEST, np.uint8)
    lists = rank_histories(
        model, np.array([0, tracks]), history, np.array([0.5]), np.zeros(1), 2, None, strong
    )
    assert lists.tracks[0].tolist() == [tracks + 1, tracks]
    assert lists.collaborative[0].tolist() == [TICKS, 0]
    assert lists.content[0].tolist() == [round(TICKS * (1 / WEIGHT_SCALE) ** 0.5), TICKS]


def test_an_artist_is_marked_down_from_its_fifth_track_on() -> None:
    """Six tracks of one artist in content order 1.0, .9, .8, .7, .6, .5; w = 0, δ = 0.5.

    Three may stand above: the fourth keeps 7000, the fifth has one beyond the third above it.
    """
    empty = pa.table([pa.array([], f.type) for f in EDGES], schema=EDGES)
    edges = pa.table(
        [
            pa.array([0] * 6, pa.int32()),
            pa.array(range(1, 7), pa.int32()),
            pa.array([10_000, 8_100, 6_400, 4_900, 3_600, 2_500], pa.int16()),
        ],
        schema=EDGES,
    )
    tracks = pa.table(
        {
            "listeners": pa.array([5] * 7, pa.int32()),
            "artist_key": pa.array([None] + [0] * 6, pa.int32()),
        }
    )
    model = HybridModel(
        EdgeTable.from_edges(empty, 7),
        EdgeTable.from_edges(edges, 7),
        BlendCatalogue.from_tracks(tracks),
        HybridParameters(artist_factor=0.5),
    )
    lists = rank_histories(
        model, np.array([0, 1]), np.array([0], np.int32), np.zeros(1), np.zeros(1), 6
    )
    assert lists.score[0].tolist() == [10000, 9000, 8000, 7000, 6000 * 0.5, 5000 * 0.5**2]
