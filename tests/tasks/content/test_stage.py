"""The content stage on a small cluster: whole files, every track reached, blocks of no effect."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from distributed import Client

from tasks.content.parameters import ContentParameters
from tasks.content.search import Space, nearest
from tasks.content.stage import content_stage, read_space, tile_blocks
from tasks.lake.contracts.edges import EDGES
from tasks.lake.contracts.stages.content import FEATURE_WEIGHTS
from tasks.lake.contracts.stages.ingest import INTERACTIONS
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import StageResult
from tests.tasks.content.catalogues import catalogue, random_catalogue

NUMERIC = ("energy", "tempo")
CATEGORICAL = ("key", "mode", "mood")
PARAMETERS = ContentParameters(other_artists=0, neighbours=6, played_neighbours=4, dimensions=12)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None
    ) as client:
        yield client


def random_interactions(played: int, users: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    pairs = np.unique(rng.integers(0, users * played, users * 6))
    columns = [pairs // played, pairs % played, np.ones(len(pairs))]
    return pa.table([np.asarray(c, np.int32) for c in columns], schema=INTERACTIONS.schema)


def run(
    folder: Path,
    client: Client,
    tracks: pa.Table,
    interactions: pa.Table | None = None,
    parameters: ContentParameters = PARAMETERS,
) -> StageResult:
    folder.mkdir(exist_ok=True)
    write_parquet(tracks, folder / "tracks.parquet")
    write_parquet(
        INTERACTIONS.schema.empty_table() if interactions is None else interactions,
        folder / "interactions.parquet",
    )
    return content_stage(
        folder / "lake",
        client,
        Dataset.of(folder / "tracks.parquet"),
        Dataset.of(folder / "interactions.parquet"),
        None,
        NUMERIC,
        CATEGORICAL,
        parameters,
    )


def test_writes_its_datasets_and_reuses_them(tmp_path: Path, client: Client) -> None:
    tracks = random_catalogue(700, seed=1)
    played = tracks.num_rows - tracks["played_key"].null_count
    plays = random_interactions(played, 150, seed=2)
    result = run(tmp_path, client, tracks, plays)
    assert result["content"].read().schema == EDGES
    assert result["feature_weights"].read().schema == FEATURE_WEIGHTS.schema
    assert result["feature_weights"].read()["weight"].to_numpy().sum() == pytest.approx(1.0)
    assert not result.reused
    again = run(tmp_path, client, tracks, plays)
    assert again.reused
    assert again.datasets == result.datasets


def test_edges_are_the_exact_neighbours_made_symmetric(tmp_path: Path, client: Client) -> None:
    tracks = random_catalogue(600, seed=3)
    as_they_are = PARAMETERS.model_copy(update={"crowd": 0.0})
    result = run(tmp_path, client, tracks, parameters=as_they_are)
    space = read_space(result["embedding"].path)
    dense = (1 - space.bonus) * (space.vectors @ space.vectors.T)
    same = space.artists[:, None] == space.artists[None, :]
    dense += space.bonus * (same & (space.artists >= 0)[:, None])
    np.fill_diagonal(dense, -1)
    played = tracks["played_key"].is_valid().to_numpy()
    edges = result["content"].read()
    found: dict[int, dict[int, int]] = {}
    for row in edges.to_pylist():
        found.setdefault(row["source"], {})[row["target"]] = row["weight"]
    for key in range(tracks.num_rows):
        order = np.argsort(-dense[key], kind="stable")
        expected = set(order[: PARAMETERS.neighbours][dense[key][order[:6]] > 1e-6].tolist())
        if not played[key]:
            near = [k for k in order if played[k]][: PARAMETERS.played_neighbours]
            expected |= {int(k) for k in near if dense[key][k] > 1e-6}
        missing = expected - set(found[key])
        # Float32 sums in another order may swap neighbours of (nearly) equal similarity.
        worst = min(weight for weight in found[key].values())
        assert all(abs(dense[key][k] * 20_000 - worst) < 2 for k in missing)
        for target, weight in found[key].items():
            assert found[target][key] == weight
            assert weight == pytest.approx(dense[key][target] * 20_000, abs=1)


def test_every_unplayed_track_is_reached_from_played_ones(tmp_path: Path, client: Client) -> None:
    tracks = random_catalogue(700, seed=4, cold=0.9)
    edges = run(tmp_path, client, tracks)["content"].read()
    played = tracks["played_key"].is_valid().to_numpy()
    from_played = edges.filter(pa.array(played[edges["source"].to_numpy()]))
    reached = np.unique(from_played["target"].to_numpy())
    assert set(np.flatnonzero(~played)) <= set(reached.tolist())


def test_blocks_change_nothing(tmp_path: Path, client: Client) -> None:
    space = read_space(run(tmp_path, client, random_catalogue(900, seed=5))["embedding"].path)
    whole = nearest(space, 0, 900, 7)
    for blocks in (1, 2, 3, 9):
        cut = tile_blocks(900, blocks)
        assert (cut[0].start, cut[-1].stop) == (0, 900)
        parts = [nearest(space, block.start, block.stop, 7) for block in cut]
        assert (np.concatenate([part.tracks for part in parts]) == whole.tracks).all()
        assert (np.concatenate([part.similarity for part in parts]) == whole.similarity).all()


def test_no_content_at_all_gives_empty_tables(tmp_path: Path, client: Client) -> None:
    result = run(tmp_path, client, catalogue([None] * 5))
    assert result["content"].rows == 0
    assert result["feature_weights"].rows == 0
    assert result["embedding"].rows == 5


@pytest.mark.parametrize("size", [1, 2])
def test_one_and_two_tracks(tmp_path: Path, client: Client, size: int) -> None:
    tracks = catalogue([["rock"]] * size, [0] * size, energy=[0.5] * size, year=[1999] * size)
    result = run(tmp_path, client, tracks)
    assert result["content"].rows == {1: 0, 2: 2}[size]


def test_space_round_trip_is_lossless(tmp_path: Path, client: Client) -> None:
    result = run(tmp_path, client, random_catalogue(50, seed=6))
    space = read_space(result["embedding"].path)
    lengths = np.linalg.norm(space.vectors.astype(np.float64), axis=1)
    assert isinstance(space, Space)
    assert ((np.abs(lengths - 1) < 1e-6) | (lengths == 0)).all()
    assert np.isfinite(space.vectors).all()
