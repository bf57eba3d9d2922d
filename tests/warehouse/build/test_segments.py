"""What a list of each history length is made of, in shares that add up to one."""

from pathlib import Path

import duckdb
import pytest

from tests.warehouse.worlds import build_world


def test_the_shares_of_a_segment_follow_from_its_weight_and_prior(tmp_path: Path) -> None:
    world = build_world(tmp_path, seed=5, n=30, users=6)
    with duckdb.connect(str(world.database)) as connection:
        connection.execute("UPDATE store.segments SET weight = 0.8, popularity = 0.25")
        found = connection.sql(
            "SELECT max_tracks, neighbours_share, popularity_share, content_share FROM segments"
        ).fetchall()
    assert [row[0] for row in found].count(0) == 1
    for max_tracks, *shares in found:
        # 0.8 / 1.25, 0.8 · 0.25 / 1.25, 1 - 0.8
        expected = [0.0, 1.0, 0.0] if max_tracks == 0 else [0.64, 0.16, 0.2]
        assert shares == pytest.approx(expected)
