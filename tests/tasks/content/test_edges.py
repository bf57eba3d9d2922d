"""The symmetric table: hand-worked, and against a dictionary."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.content.edges import symmetric, to_edges
from tasks.content.search import NearestTracks
from tasks.lake.contracts.edges import EDGES


def test_lists_become_whole_number_cosines() -> None:
    tracks = np.array([[2, -1], [0, 1]], np.int32)
    similarity = np.array([[0.5, 0.0], [1.0000001, 1e-9]], np.float32)
    edges = to_edges(NearestTracks(tracks, similarity), np.arange(256, 256 + len(tracks)))
    assert edges.to_pylist() == [
        {"source": 256, "target": 2, "weight": 10_000},
        {"source": 257, "target": 0, "weight": 20_000},  # cut at 1
        {"source": 257, "target": 1, "weight": 1},  # listed, so never nothing
    ]


pairs = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 20_000)).filter(
    lambda edge: edge[0] != edge[1]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(pairs, max_size=60), st.integers(0, 60))
def test_every_pair_is_there_in_both_directions_with_its_larger_weight(
    edges: list[tuple[int, int, int]], cut: int
) -> None:
    columns = np.array(edges, np.int64).reshape(-1, 3).T
    whole = pa.table(
        [columns[0].astype(np.int32), columns[1].astype(np.int32), columns[2].astype(np.int16)],
        schema=EDGES,
    )
    found = symmetric([whole[:cut], whole[cut:]])
    expected: dict[tuple[int, int], int] = {}
    for source, target, weight in edges:
        for pair in ((source, target), (target, source)):
            expected[pair] = max(weight, expected.get(pair, 0))
    rows = [(row["source"], row["target"], row["weight"]) for row in found.to_pylist()]
    assert rows == sorted((*pair, weight) for pair, weight in expected.items())
