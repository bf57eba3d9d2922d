"""What is common around a target is taken off its neighbours' weights."""

import numpy as np
import pyarrow as pa

from tasks.content.hubness import centre_hubs
from tasks.lake.contracts.edges import EDGES


def edges(*rows: tuple[int, int, int]) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table(
        [np.array(c, t) for c, t in zip(columns, (np.int32, np.int32, np.int16), strict=True)],
        schema=EDGES,
    )


def test_a_share_of_the_mean_over_played_neighbours_is_taken_off() -> None:
    table = edges((0, 2, 9_000), (1, 2, 5_000), (2, 0, 9_000), (2, 1, 5_000), (3, 2, 20_000))
    played = np.array([True, True, True, False])
    weights = centre_hubs(table, played, 0.5)["weight"].to_pylist()
    common = (9_000 + 5_000) / 2  # track 3 is in no history and does not count
    assert weights[0] == 9_000 - 0.5 * common
    assert weights[1] == 5_000 - 0.5 * common
    assert weights[2] == 9_000 - 0.5 * 9_000
    assert weights[4] == 20_000 - 0.5 * common


def test_unplayed_neighbours_count_where_there_are_no_others() -> None:
    table = edges((0, 1, 4_000), (1, 0, 4_000))
    assert centre_hubs(table, np.array([False, False]), 0.25)["weight"].to_pylist() == [3_000] * 2


def test_what_is_in_a_list_stays_reachable_and_share_zero_changes_nothing() -> None:
    table = edges((0, 1, 1), (2, 1, 20_000), (3, 1, 20_000))
    played = np.ones(4, np.bool_)
    assert centre_hubs(table, played, 1.0)["weight"].to_pylist()[0] == 1
    assert centre_hubs(table, played, 0.0).equals(table)


def test_an_empty_table() -> None:
    assert centre_hubs(EDGES.empty_table(), np.zeros(0, np.bool_), 0.8).num_rows == 0
