"""Both neighbour tables in one: nothing is lost by packing, whatever the weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tasks.blend.kernels.kernel_layout import COLLABORATIVE_UNIT
from tasks.blend.kernels.sums import LONGEST_HISTORY
from tasks.blend.model import EdgeTable, HybridModel
from tasks.blend.parameters import HybridParameters
from tasks.blend.ranking import rank_histories
from tests.tasks.blend.oracle import rank
from tests.tasks.blend.worlds import random_model
from warehouse.errors import RunError

COLLABORATIVE = np.array([-32768, -32767, -1, 1, 2, 32766, 32767])
CONTENT = np.array([1, 2, 32766, 32767])


def _extreme(table: EdgeTable, rng: np.random.Generator, values: NDArray[np.integer]) -> EdgeTable:
    weights = rng.choice(values, len(table.weights)).astype(np.int16)
    return EdgeTable(table.indptr, table.targets, weights)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 30))
def test_packed_edges_are_those_of_both_tables(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    model = random_model(rng, n, HybridParameters())
    model = HybridModel(
        _extreme(model.collaborative, rng, COLLABORATIVE),
        _extreme(model.content, rng, CONTENT),
        model.catalogue,
        model.parameters,
    )
    expected: dict[tuple[int, int], list[int]] = {}
    for signal, table in enumerate((model.collaborative, model.content)):
        for i in range(n):
            for e in range(table.indptr[i], table.indptr[i + 1]):
                pair = expected.setdefault((i, int(table.targets[e])), [0, 0])
                pair[signal] = int(table.weights[e])
    (indptr, targets, weights), key = model.kernel_model.neighbours, model.catalogue.by_listeners
    found = {}
    for r in range(n):
        assert np.all(np.diff(targets[indptr[r] : indptr[r + 1]].astype(np.int64)) > 0)
        for e in range(indptr[r], indptr[r + 1]):
            content = int(weights[e].astype(np.int16))
            collaborative = (int(weights[e]) - content) // COLLABORATIVE_UNIT
            found[int(key[r]), int(key[targets[e]])] = [collaborative, content]
    assert found == expected
    history = np.arange(n - n // 3, dtype=np.int32)
    lists = rank_histories(
        model, np.array([0, len(history)]), history, np.array([0.4]), np.array([0.2]), n
    )
    rows = rank(model, history.tolist(), 0.4, 0.2)
    assert lists.tracks[0][: len(rows)].tolist() == [row.track for row in rows]
    assert lists.score[0][: len(rows)].tolist() == [row.score for row in rows]


def test_a_history_that_is_too_long_for_the_sums_is_refused() -> None:
    model = random_model(np.random.default_rng(0), 5, HybridParameters())
    length = LONGEST_HISTORY + 1
    with pytest.raises(RunError, match="32,768 different tracks"):
        rank_histories(
            model,
            np.array([0, length]),
            np.zeros(length, np.int32),
            np.zeros(1),
            np.zeros(1),
            3,
        )
