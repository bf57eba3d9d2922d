"""What a base has learned, under the keys of another catalogue: compared by ids."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.blend.model import BlendCatalogue
from tasks.content.parameters import ContentParameters
from tasks.lake.contracts.edges import EDGES
from tasks.lake.contracts.stages.content import FEATURE_WEIGHTS
from tasks.lake.contracts.stages.lists import CATALOGUE
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import StageResult
from tasks.refresh.frozen import frozen_stage

IDS = "ABCDEFGHIJ"

Edges = dict[tuple[str, str], int]


def result_of(folder: Path, stage: str, **tables: pa.Table) -> StageResult:
    """Write tables as a stage's result."""
    folder.mkdir()
    datasets = {}
    for name, table in tables.items():
        write_parquet(table, folder / f"{name}.parquet")
        datasets[name] = Dataset.of(folder / f"{name}.parquet")
    return StageResult(stage=stage, key=stage, datasets=datasets, counts={}, seconds=0.0)


def tracks_of(ids: Sequence[str], listeners: dict[str, int]) -> pa.Table:
    return pa.table(
        {
            "track_id": pa.array(ids, pa.string()),
            "track_key": np.arange(len(ids), dtype=np.int32),
            "artist_key": np.arange(len(ids), dtype=np.int32) % 3,
            "listeners": pa.array([listeners.get(one, 0) for one in ids], pa.int32()),
        }
    )


def catalogue_of(tracks: pa.Table) -> pa.Table:
    blend = BlendCatalogue.from_tracks(tracks)
    columns = [tracks["track_key"], blend.popularity, blend.listener_rank]
    return pa.table(columns, schema=CATALOGUE.schema)


def edges_of(edges: Edges, ids: Sequence[str]) -> pa.Table:
    rows = sorted((ids.index(s), ids.index(t), w) for (s, t), w in edges.items())
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    return pa.table(
        [pa.array(one, f.type) for one, f in zip(columns, EDGES, strict=True)], schema=EDGES
    )


def by_id(edges: pa.Table, ids: Sequence[str]) -> Edges:
    rows = edges.to_pylist()
    pairs = [(row["source"], row["target"]) for row in rows]
    assert pairs == sorted(pairs)
    return {(ids[row["source"]], ids[row["target"]]): row["weight"] for row in rows}


catalogues = st.sets(st.sampled_from(IDS), min_size=1).map(sorted)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[str], list[str], dict[str, int], Edges]:
    then, now = draw(catalogues), draw(catalogues)
    listeners = draw(st.dictionaries(st.sampled_from(then), st.integers(0, 4)))
    pairs = st.tuples(st.sampled_from(then), st.sampled_from(then)).filter(lambda p: p[0] != p[1])
    edges = draw(st.dictionaries(pairs, st.integers(1, 20_000))) if len(then) > 1 else {}
    return then, now, listeners, edges


@given(worlds())
@settings(max_examples=60)
def test_tables_are_those_of_the_base_by_id(
    world: tuple[list[str], list[str], dict[str, int], Edges],
) -> None:
    then, now, listeners, edges = world
    tracks_then, tracks_now = tracks_of(then, listeners), tracks_of(now, {})
    vectors = np.arange(1, 2 * len(then) + 1, dtype=np.float32)
    embedding = pa.table(
        {
            "track_key": np.arange(len(then), dtype=np.int32),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors), 2),
            "artist": np.arange(len(then), dtype=np.int32) % 3,
        }
    ).replace_schema_metadata({b"artist_bonus": b"0.25"})
    with TemporaryDirectory() as name:
        folder = Path(name)
        table = edges_of(edges, then)
        shares = FEATURE_WEIGHTS.schema.empty_table()  # no content, so new tracks lie nowhere
        lists = {"catalogue": catalogue_of(tracks_then), "weights": table, "similarity": table}
        content = {"content": table, "embedding": embedding, "feature_weights": shares}
        parts = {
            "ingest": result_of(folder / "then", "ingest", tracks=tracks_then),
            "lists": result_of(folder / "lists", "lists", **lists),
            "content": result_of(folder / "content", "content", **content),
        }
        ingested = result_of(folder / "now", "ingest", tracks=tracks_now)
        frozen = frozen_stage(folder / "lake", ingested, parts, (), (), ContentParameters())
        found = {dataset: frozen[dataset].read() for dataset in frozen.datasets}
    kept = {pair: w for pair, w in edges.items() if set(pair) <= set(now)}
    for dataset in ("weights", "similarity", "content"):
        assert by_id(found[dataset], now) == kept
    assert found["feature_weights"] == shares
    # As if today's catalogue had been that of the base, without listeners for new tracks.
    largest = max(listeners.values(), default=0)
    popularity = found["catalogue"]["popularity"].to_numpy()
    expected = [np.log1p(listeners.get(one, 0)) / np.log1p(max(largest, 1)) for one in now]
    np.testing.assert_allclose(popularity, expected)
    order = sorted(now, key=lambda one: (-listeners.get(one, 0), one))
    rank = found["catalogue"]["listener_rank"].to_pylist()
    assert [one for _, one in sorted(zip(rank, now, strict=True))] == order
    where = {one: vectors[2 * x : 2 * x + 2].tolist() for x, one in enumerate(then)}
    assert found["embedding"]["vector"].to_pylist() == [where.get(one, [0, 0]) for one in now]
    assert found["embedding"].schema.metadata[b"artist_bonus"] == b"0.25"


def test_removed_and_new_tracks_are_counted() -> None:
    tracks_then, tracks_now = tracks_of("abc", {"a": 2}), tracks_of("acde", {})
    nothing = EDGES.empty_table()
    embedding = pa.table(
        {
            "track_key": np.arange(3, dtype=np.int32),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(np.ones(3, np.float32)), 1),
            "artist": np.zeros(3, np.int32),
        }
    ).replace_schema_metadata({b"artist_bonus": b"0.0"})
    with TemporaryDirectory() as name:
        folder = Path(name)
        lists = {"catalogue": catalogue_of(tracks_then), "weights": nothing, "similarity": nothing}
        shares = FEATURE_WEIGHTS.schema.empty_table()
        content = {"content": nothing, "embedding": embedding, "feature_weights": shares}
        parts = {
            "ingest": result_of(folder / "then", "ingest", tracks=tracks_then),
            "lists": result_of(folder / "lists", "lists", **lists),
            "content": result_of(folder / "content", "content", **content),
        }
        ingested = result_of(folder / "now", "ingest", tracks=tracks_now)
        given = (parts, (), (), ContentParameters())
        counts = frozen_stage(folder / "lake", ingested, *given).counts
        assert counts == {"new_tracks": 2, "removed_tracks": 1}
        assert frozen_stage(folder / "lake", parts["ingest"], *given).reused
