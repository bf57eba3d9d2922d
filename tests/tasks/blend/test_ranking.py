"""The kernel against the plain definition, and its promises as properties."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tasks.blend.kernels.rank import Histories, RankedLists
from tasks.blend.parameters import HybridParameters
from tasks.blend.ranking import rank_histories
from tasks.lake.contracts.edges import EDGES
from tests.tasks.blend.oracle import Row, rank
from tests.tasks.blend.worlds import random_model
from warehouse.contract.constants import Source


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
)
def test_lists_equal_the_plain_definition(
    seed: int, n: int, weight: float, prior: float, k: int, disliked: float
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
    lists = rank_histories(model, *played, *full, k, left_out)
    for u, history in enumerate(histories):
        exclude = frozenset(int(j) for j in dislikes[u])
        expected = rank(model, [int(i) for i in history], weight, prior, exclude)[:k]
        assert _rows(lists, u, history) == expected


def test_an_artist_is_marked_down_from_its_fifth_track_on() -> None:
    """Six tracks of one artist in content order 1.0, .9, .8, .7, .6, .5; w = 0, δ = 0.5.

    Three may stand above: the fourth keeps 7000, the fifth has one beyond the third above it.
    """
    import pyarrow as pa

    from tasks.blend.model import BlendCatalogue, EdgeTable, HybridModel

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
