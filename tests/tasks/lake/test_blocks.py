"""Blocks: balanced by cost, one part each, resumed where parts are missing or damaged."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from distributed import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.lake.blocks import Block, balanced_blocks, run_blocks
from warehouse.errors import RunError


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as client:
        yield client


@settings(max_examples=100, deadline=None)
@given(cost=st.lists(st.floats(0, 1e6), max_size=60), blocks=st.integers(min_value=1, max_value=12))
def test_blocks_cover_every_row_once_and_none_is_far_above_its_share(
    cost: list[float], blocks: int
) -> None:
    cut = balanced_blocks(np.array(cost), blocks)
    assert [row for block in cut for row in range(block.start, block.stop)] == list(
        range(len(cost))
    )
    assert len(cut) <= blocks
    for block in cut:
        share = sum(cost) / blocks
        assert sum(cost[block.start : block.stop]) <= share + max(cost) + 1e-3


def _squares(block: Block, ledger: Path) -> pa.Table:
    (ledger / block.part).touch()
    rows = list(range(block.start, block.stop))
    return pa.table({"row": rows, "square": [row * row for row in rows]})


def _breaks(block: Block) -> pa.Table:
    raise ValueError(f"no rows {block.start}")


def test_only_missing_and_damaged_parts_are_computed_again(client: Client, tmp_path: Path) -> None:
    folder, ledger = tmp_path / "example" / "parts", tmp_path / "ledger"
    folder.mkdir(parents=True)
    ledger.mkdir()
    blocks = balanced_blocks(np.ones(10), 5)
    parts = run_blocks(client, _squares, blocks, folder, ledger)
    table = pa.concat_tables([pq.read_table(part) for part in parts])
    assert table["square"].to_pylist() == [row * row for row in range(10)]

    for mark in ledger.iterdir():
        mark.unlink()
    parts[1].unlink()
    parts[3].write_bytes(parts[3].read_bytes()[:20])
    seen: list[tuple[int, int]] = []
    again = run_blocks(
        client, _squares, blocks, folder, ledger, progress=lambda done, of: seen.append((done, of))
    )
    assert {mark.name for mark in ledger.iterdir()} == {parts[1].name, parts[3].name}
    assert seen == [(3, 5), (4, 5), (5, 5)]
    assert pa.concat_tables([pq.read_table(part) for part in again]).equals(table)


def test_nothing_to_compute_asks_no_cluster(tmp_path: Path) -> None:
    nobody = cast(Client, None)
    seen: list[tuple[int, int]] = []
    parts = run_blocks(
        nobody, _squares, [], tmp_path, progress=lambda done, of: seen.append((done, of))
    )
    assert parts == []
    assert seen == [(0, 0)]


def test_a_failing_block_is_told_and_finished_parts_stay(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "example" / "parts"
    folder.mkdir(parents=True)
    with pytest.raises(RunError, match="no rows 0"):
        run_blocks(client, _breaks, balanced_blocks(np.ones(3), 2), folder)
