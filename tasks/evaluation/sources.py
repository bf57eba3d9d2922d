"""What a worker measures with: files, written once, read once per process."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.blend.model import BlendCatalogue, EdgeTable, HybridModel, track_edges, track_of_played
from tasks.blend.parameters import HybridParameters
from tasks.evaluation.hiding import HiddenWorld, drawn_to_hide
from tasks.evaluation.measure import EvaluationContext, Tags, hiding_model
from tasks.evaluation.parameters import EvaluationParameters
from tasks.evaluation.split import Split
from tasks.holdout.hashing import id_hashes
from tasks.holdout.rule import MIN_TRACKS
from tasks.lake.contracts.edges import EDGES
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.plays import plays_of
from tasks.lake.record import StageResult

_SPLIT = pa.schema(
    [
        pa.field("user_key", pa.int32(), nullable=False),
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("hash", pa.uint64(), nullable=False),
        pa.field("tracks", pa.list_(pa.int32()), nullable=False),  # in drawing order
        pa.field("targets", pa.int64(), nullable=False),  # how many of them are to be found
    ]
)


@dataclass(frozen=True)
class HidingFiles:
    """The model that has not seen the hidden tracks' plays."""

    tracks: Path
    weights: Path
    content: Path


@dataclass(frozen=True)
class Sources:
    """The files a worker reads; equal sources are read once per process."""

    tracks: Path
    weights: Path
    similarity: Path
    content: Path
    listeners: Path
    split: Path
    users: int
    hidden: float
    seed: int
    hiding: HidingFiles | None
    """None: hidden tracks only lose their edges and listeners."""


def write_sources(
    folder: Path,
    ingested: StageResult,
    held_out: Dataset,
    collaborative: StageResult,
    content: StageResult,
    parameters: EvaluationParameters,
    hidden: HiddenWorld | None = None,
) -> Sources:
    """Split the held-out histories and count listeners without them; write both for workers.

    A held-out listener with a single track is left out of the split.
    """
    tracks = ingested["tracks"].read(["track_key", "track_id", "played_key", "listeners"])
    keys: NDArray[np.int32] = held_out.read()["user_key"].to_numpy()
    user, played = plays_of(ingested["interactions"], keys)
    track = track_of_played(tracks)[played]
    trained_on = ingested["users"].rows - len(keys)
    others = tracks["listeners"].to_numpy() - np.bincount(track, minlength=len(tracks))
    can_be_split = np.bincount(np.searchsorted(keys, user), minlength=len(keys)) >= MIN_TRACKS
    keys, its_listener_can = keys[can_be_split], can_be_split[np.searchsorted(keys, user)]
    users = ingested["users"].read(["user_id"]).combine_chunks().take(pa.array(keys))
    row, track = np.searchsorted(keys, user[its_listener_can]), track[its_listener_can]
    hashes = id_hashes(users["user_id"], parameters.seed)
    split = Split.of(hashes, row, track, id_hashes(tracks["track_id"], parameters.seed))
    files = {name: folder / f"{name}.parquet" for name in ("split", "listeners")}
    write_parquet(
        pa.table(
            [
                pa.array(keys, pa.int32()),
                users["user_id"],
                hashes,
                pa.ListArray.from_arrays(
                    pa.array(split.indptr, pa.int32()), pa.array(split.tracks, pa.int32())
                ),
                split.targets,
            ],
            schema=_SPLIT,
        ),
        files["split"],
    )
    write_parquet(pa.table({"listeners": pa.array(others, pa.int32())}), files["listeners"])
    return Sources(
        ingested["tracks"].path,
        collaborative["weights"].path,
        collaborative["similarity"].path,
        content["content"].path,
        files["listeners"],
        files["split"],
        trained_on,
        parameters.hidden,
        parameters.seed,
        None
        if hidden is None
        else HidingFiles(
            hidden.hiding["tracks"].path,
            hidden.collaborative["weights"].path,
            hidden.content["content"].path,
        ),
    )


@lru_cache(maxsize=1)
def read_context(sources: Sources, hybrid: HybridParameters) -> EvaluationContext:
    """Read the model and the held-out listeners, once per worker."""
    tracks = pq.read_table(
        sources.tracks, columns=["track_key", "played_key", "artist_key", "tags"]
    )
    listeners = pq.read_table(sources.listeners)["listeners"]
    played = track_of_played(tracks)
    weights, similarity = (
        EdgeTable.from_edges(track_edges(pq.read_table(file), played), len(tracks))
        for file in (sources.weights, sources.similarity)
    )
    model = HybridModel(
        weights,
        EdgeTable.from_edges(pq.read_table(sources.content), len(tracks)),
        BlendCatalogue.from_tracks(
            pa.table({"listeners": listeners, "artist_key": tracks["artist_key"]})
        ),
        hybrid,
    )
    nothing = EdgeTable.from_edges(EDGES.empty_table(), len(tracks))
    return EvaluationContext(
        model,
        replace(model, collaborative=similarity, content=nothing),
        listeners.to_numpy(),
        sources.users,
        Tags.of(tracks["tags"]),
        read_split(sources.split),
    )


@lru_cache(maxsize=1)
def read_hiding_model(
    sources: Sources, hybrid: HybridParameters
) -> tuple[HybridModel, NDArray[np.bool_]]:
    """Take a share of the played tracks, drawn by their ids, for unplayed, once per worker."""
    context = read_context(sources, hybrid)
    ids = pq.read_table(sources.tracks, columns=["track_id"])["track_id"]
    hidden = drawn_to_hide(ids, sources.hidden, sources.seed) & (context.listeners > 0)
    model = context.model
    if sources.hiding is not None:
        played = track_of_played(
            pq.read_table(sources.hiding.tracks, columns=["track_key", "played_key"])
        )
        weights = track_edges(pq.read_table(sources.hiding.weights), played)
        content = pq.read_table(sources.hiding.content)
        model = replace(
            model,
            collaborative=EdgeTable.from_edges(weights, len(ids)),
            content=EdgeTable.from_edges(content, len(ids)),
        )
    return hiding_model(model, context.listeners, hidden), hidden


def read_split(file: Path) -> Split:
    """Read the held-out listeners with their tracks in drawing order."""
    table = pq.read_table(file)
    lists = table["tracks"].combine_chunks()
    sizes = lists.value_lengths().to_numpy()
    return Split(
        table["hash"].to_numpy(),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        lists.flatten().to_numpy(),
        table["targets"].to_numpy(),
        table["days"].combine_chunks().flatten().to_numpy()
        if "days" in table.column_names
        else None,
    )
