"""A refresh with a half-life: whoever did something new has new strengths, others keep theirs."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.blend.earlier import KEY, TRACK_KEY, EarlierListeners
from tasks.blend.parameters import HybridParameters
from tasks.blend.stage import rank_listeners
from tasks.lake.blocks import Block
from tasks.lake.files import write_parquet
from tests.warehouse.worlds import build_world

LISTENERS, TRACKS = 12, 40
PARTS = ("tracks", "catalogue", "content", "weights", "similarity")


@pytest.mark.parametrize("half_life", [100, 0])
def test_lists_that_are_taken_over_have_the_strengths_of_a_full_build(
    tmp_path: Path, half_life: int
) -> None:
    """Three listeners played a track earlier than was known; the others are taken over."""
    timed = HybridParameters(popular_candidates=5, half_life=100)
    build_world(tmp_path, seed=4, n=TRACKS, users=LISTENERS, parameters=timed)
    parameters = timed.model_copy(update={"half_life": half_life})
    lake = tmp_path / "lake"
    everybody = Block(0, LISTENERS)

    def ranked(earlier: EarlierListeners | None) -> pa.Table:
        users, listens, dislikes = (
            lake / f"{name}.parquet" for name in ("users", "interactions", "dislikes")
        )
        model = {name: lake / f"{name}.parquet" for name in PARTS}
        return rank_listeners(everybody, model, users, listens, dislikes, parameters, earlier)

    before = lake / everybody.part
    write_parquet(ranked(None), before)
    listens = pq.read_table(lake / "interactions.parquet")
    changed = np.array([2, 3, 9])
    is_first = np.diff(listens["user_key"].to_numpy(), prepend=-1) > 0
    moved = is_first & np.isin(listens["user_key"].to_numpy(), changed)
    first = listens["first_at"].cast(pa.int64()).to_numpy() - 86_400 * 150 * moved
    at = listens.column_names.index("first_at")
    field = listens.schema.field(at)
    listens = listens.set_column(at, field, pa.array(first).cast(field.type))
    write_parquet(listens, lake / "interactions.parquet")
    keys = np.arange(LISTENERS, dtype=np.int32)
    keys[changed] = -1
    write_parquet(pa.table({KEY: keys}), lake / "keys.parquet")
    write_parquet(pa.table({TRACK_KEY: np.arange(TRACKS, dtype=np.int32)}), lake / "moved.parquet")
    known = EarlierListeners(lake / "keys.parquet", lake / "moved.parquet", (before,))
    refreshed, whole = ranked(known), ranked(None)
    assert refreshed.equals(whole.combine_chunks())
    assert ("strengths" in whole.column_names) == bool(half_life)
    if half_life:
        was = pq.read_table(before)["strengths"].to_pylist()
        differs = [x for x, now in enumerate(whole["strengths"].to_pylist()) if now != was[x]]
        assert differs
        assert set(differs) <= set(changed.tolist())
