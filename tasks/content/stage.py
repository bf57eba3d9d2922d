"""Content neighbours on the Dask cluster: fitted by one worker, searched in blocks by all."""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client
from numpy.typing import NDArray

from tasks.content.edges import symmetric
from tasks.content.hubness import centre_hubs
from tasks.content.parameters import ContentParameters
from tasks.content.plays import read_plays
from tasks.content.search import ROWS, Space
from tasks.content.tables import similar_block
from tasks.lake.blocks import Block, Progress, balanced_blocks, run_blocks
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.content import FEATURE_WEIGHTS, STAGE
from tasks.lake.contracts.stages.ingest import TRACKS
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage, StageResult

if TYPE_CHECKING:
    from tasks.content.model import ContentModel

BLOCKS = 16
"""Blocks of each phase: fixed, so that a killed run finds its parts again."""

BONUS, SHARES = b"artist_bonus", b"feature_shares"
"""Where the embedding file keeps the share of similarity that lies in the same artist, and the
share of every feature."""


def content_stage(
    lake: Path,
    client: Client,
    tracks: Dataset,
    interactions: Dataset,
    held_out: Dataset | None,
    numeric: tuple[str, ...],
    categorical: tuple[str, ...],
    parameters: ContentParameters,
    progress: Progress | None = None,
) -> StageResult:
    """Compute content neighbours, from ``tracks`` (`TRACKS` and features) and who played what.

    Datasets: ``content``, neighbours both ways (`EDGES` of track keys); ``feature_weights``;
    ``embedding``, a unit vector per track; ``projection``, by which further tracks are placed.
    ``held_out`` names listeners (column user_key) to learn nothing from.
    """
    stage = Stage(
        lake,
        STAGE,
        tracks=tracks.digest,
        interactions=interactions.digest,
        held_out=held_out.digest if held_out else None,
        numeric=numeric,
        categorical=categorical,
        parameters=parameters,
        code=code_digest(__name__),
    )
    if done := stage.finished():
        return done
    begin = time.perf_counter()
    projection = stage.folder / "projection.parquet"
    if not projection.is_file():
        shutil.rmtree(stage.folder / "embedding", ignore_errors=True)  # both are made together
    fitted = _whole(
        client,
        stage,
        "embedding",
        fit_catalogue,
        tracks.rows,
        projection,
        tracks,
        interactions,
        held_out,
        numeric,
        categorical,
        parameters,
    )
    shares = _shares(fitted)
    files = {"embedding": fitted, "projection": projection}
    files["feature_weights"] = stage.folder / "feature_weights.parquet"
    write_parquet(shares, files["feature_weights"])
    # Small enough to travel: one bit per track. None is searched for where there is no content.
    played = tracks.read(["played_key"])["played_key"].is_valid().to_numpy()
    rows, bits = len(played) if len(shares) else 0, np.packbits(played)
    parts = run_blocks(
        client,
        search_tracks,
        tile_blocks(rows, BLOCKS),
        stage.scratch,
        fitted,
        bits,
        parameters,
        progress=progress,
    )
    files["content"] = _whole(
        client, stage, "content", join_neighbours, rows, parts, bits, parameters
    )
    edges = pq.read_table(files["content"], columns=["source", "target"])
    counts = {
        "edges": edges.num_rows,
        "tracks_with_neighbours": _distinct(edges["source"]),
        "tracks_reached": _distinct(edges["target"]),
        "tracks": tracks.rows,
        "features": len(shares),
    }
    return stage.finish(time.perf_counter() - begin, counts, **files)


def _whole(
    client: Client,
    stage: Stage,
    dataset: str,
    compute: Callable[..., pa.Table],
    rows: int,
    *arguments: object,
) -> Path:
    """Have one worker compute a dataset, while the others may do the blocks of another stage."""
    whole = [Block(0, rows)]
    [file] = run_blocks(client, compute, whole, stage.folder / dataset, *arguments)
    return file


def fit_catalogue(
    _block: Block,
    projection: Path,
    tracks: Dataset,
    interactions: Dataset,
    held_out: Dataset | None,
    numeric: tuple[str, ...],
    categorical: tuple[str, ...],
    parameters: ContentParameters,
) -> pa.Table:
    """Fit the model on all tracks; return where each lies, with the shares of the features.

    What it does to features is written to ``projection`` first.
    """
    # scikit-learn takes over a second to import; the process of the run never needs it
    from tasks.content.model import fit_content

    catalogue = tracks.read(feature_columns(tracks, numeric, categorical))
    plays = read_plays(interactions, held_out, catalogue)
    model = fit_content(catalogue, plays, numeric, categorical, parameters)
    write_parquet(model.projection.table(), projection)
    return _embedding_table(model)


def _distinct(keys: pa.ChunkedArray) -> int:
    return int(np.count_nonzero(np.bincount(keys.to_numpy())))


def feature_columns(
    tracks: Dataset, numeric: tuple[str, ...], categorical: tuple[str, ...]
) -> list[str]:
    """Name the columns to read: keys, content and the declared features that are there."""
    present = set(pq.read_schema(tracks.path).names)
    wanted = ["track_key", "artist_key", "tags", "genre", "year", "played_key"]
    wanted += [name for name in (*numeric, *categorical) if name not in TRACKS.schema.names]
    return [name for name in dict.fromkeys(wanted) if name in present]


def tile_blocks(tracks: int, blocks: int) -> list[Block]:
    """Cut the catalogue into at most ``blocks`` equal blocks that begin at whole tiles."""
    tiles = balanced_blocks(np.ones(-(-tracks // ROWS)), blocks)
    return [Block(tile.start * ROWS, min(tile.stop * ROWS, tracks)) for tile in tiles]


def search_tracks(
    block: Block, embedding: Path, played: NDArray[np.uint8], parameters: ContentParameters
) -> pa.Table:
    """Find the neighbours of one block of tracks; ``played`` is one bit per track."""
    space = read_space(embedding)
    return similar_block(space, _flags(played, space.size), block.start, block.stop, parameters)


def join_neighbours(
    whole: Block, parts: list[Path], played: NDArray[np.uint8], parameters: ContentParameters
) -> pa.Table:
    """Join what the blocks found to the neighbour table; ``played`` is one bit per track."""
    both_ways = symmetric(pq.read_table(part) for part in parts)
    return centre_hubs(both_ways, _flags(played, whole.stop), parameters.crowd)


def _flags(bits: NDArray[np.uint8], tracks: int) -> NDArray[np.bool_]:
    return np.unpackbits(bits, count=tracks).astype(np.bool_)


def read_space(embedding: Path) -> Space:
    """Read what `content_stage` searched in back from its file."""
    table = pq.read_table(embedding)
    learned = "observed" in table.column_names
    return Space(
        vectors=_matrix(table["vector"]),
        artists=np.asarray(table["artist"].to_numpy(), dtype=np.int32),
        bonus=float(table.schema.metadata[BONUS]),
        observed=_matrix(table["observed"]) if learned else None,
    )


def _matrix(column: pa.ChunkedArray) -> NDArray[np.float32]:
    flat = np.asarray(column.combine_chunks().flatten().to_numpy(), dtype=np.float32)
    return flat.reshape(len(column), column.type.list_size)


def _rows(matrix: NDArray[np.float32]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])


def _embedding_table(model: "ContentModel") -> pa.Table:
    space = model.space
    shares = dict(zip(model.features, model.weights.tolist(), strict=True))
    return space_table(space, {BONUS: repr(space.bonus), SHARES: json.dumps(shares)})


def space_table(space: Space, metadata: Mapping[bytes, str | bytes]) -> pa.Table:
    """Return `EMBEDDING` of a space, as `read_space` reads it."""
    columns = {
        "track_key": pa.array(np.arange(space.size, dtype=np.int32)),
        "vector": _rows(space.vectors),
        "artist": pa.array(space.artists),
    }
    if space.observed is not None:
        columns["observed"] = _rows(space.observed)
    return pa.table(columns).replace_schema_metadata(dict(metadata))


def _shares(embedding: Path) -> pa.Table:
    """Return `FEATURE_WEIGHTS`, the largest first."""
    shares = json.loads(pq.read_schema(embedding).metadata[SHARES])
    order = sorted(shares, key=lambda feature: (-shares[feature], feature))
    return pa.table([order, [shares[feature] for feature in order]], schema=FEATURE_WEIGHTS.schema)
