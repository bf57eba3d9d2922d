"""The data as they would be if a share of the played tracks had never been played.

γ is for tracks that nobody has played, and what it gains shows only on tracks that somebody has: so
some are hidden. A model that has learned from their plays would know where they belong, and γ would
look better than it is for tracks that nobody knows. So neighbours are learned from this world.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.evaluation.parameters import EvaluationParameters
from tasks.holdout.hashing import id_hashes, mixed
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.hiding import STAGE
from tasks.lake.contracts.stages.ingest import INTERACTIONS
from tasks.lake.files import write_parquet
from tasks.lake.record import Stage, StageResult


@dataclass(frozen=True)
class HiddenWorld:
    """What `hiding_stage` wrote, and the neighbours learned from it."""

    hiding: StageResult
    collaborative: StageResult
    content: StageResult

    @property
    def digests(self) -> dict[str, str]:
        """Name what decides a measurement in this world."""
        return {
            "hiding": self.hiding["tracks"].digest,
            "hiding_weights": self.collaborative["weights"].digest,
            "hiding_content": self.content["content"].digest,
        }


def drawn_to_hide(track_ids: pa.ChunkedArray, share: float, seed: int) -> NDArray[np.bool_]:
    """Tell which tracks are hidden if they are played; a track's id alone decides."""
    return np.asarray(mixed(id_hashes(track_ids, seed), stream=1) / 2.0**64 < share)


def hiding_stage(
    lake: Path, ingested: StageResult, parameters: EvaluationParameters
) -> StageResult | None:
    """Write `tracks` and `interactions` as ingest would have without the hidden tracks' plays.

    Keys of tracks and listeners stay; played keys are numbered anew. Returns None where learning
    once more would cost too much (more than ``hiding_plays`` listens), or where no played track is
    hidden or none is left. Counts are those of ingest: ``tracks`` and ``unplayed_tracks``.
    """
    if ingested["interactions"].rows > parameters.hiding_plays:
        return None
    stage = Stage(
        lake,
        STAGE,
        tracks=ingested["tracks"].digest,
        interactions=ingested["interactions"].digest,
        hidden=parameters.hidden,
        seed=parameters.seed,
        code=code_digest(__name__),
    )
    if finished := stage.finished():
        return finished
    began = time.perf_counter()
    tracks = ingested["tracks"].read()
    played = tracks["played_key"].is_valid().to_numpy()
    hidden = played & drawn_to_hide(tracks["track_id"], parameters.hidden, parameters.seed)
    visible = played & ~hidden
    if not hidden.any() or not visible.any():
        return None
    tables = {
        "tracks": _unplayed(tracks, hidden, visible),
        "interactions": _without(ingested["interactions"].read(), visible[played]),
    }
    files = {name: stage.folder / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_parquet(table, files[name])
    counts = {
        "tracks": len(tracks),
        "unplayed_tracks": len(tracks) - int(visible.sum()),
        "hidden_tracks": int(hidden.sum()),
    }
    return stage.finish(time.perf_counter() - began, counts, **files)


def _unplayed(tracks: pa.Table, hidden: NDArray[np.bool_], visible: NDArray[np.bool_]) -> pa.Table:
    """Return the catalogue with nobody having played the hidden tracks."""
    keys = np.cumsum(visible, dtype=np.int32) - 1
    columns = {
        "played_key": pa.array(keys.astype(np.int32), mask=~visible),
        "listeners": pa.array(np.where(hidden, 0, tracks["listeners"].to_numpy())),
        "plays": pa.array(np.where(hidden, 0, tracks["plays"].to_numpy())),
    }
    for name, column in columns.items():
        place = tracks.schema.get_field_index(name)
        field = tracks.schema.field(place)
        tracks = tracks.set_column(place, field, column.cast(field.type))
    return tracks


def _without(interactions: pa.Table, visible: NDArray[np.bool_]) -> pa.Table:
    """Return the plays of visible tracks (a flag per played key), with their new keys."""
    old = interactions["played_key"].to_numpy()
    kept = pa.array(visible[old])
    keys = (np.cumsum(visible, dtype=np.int32) - 1).astype(np.int32)
    left = interactions.filter(kept)
    columns = [left["user_key"], pa.array(keys[left["played_key"].to_numpy()]), left["plays"]]
    return pa.table(columns, schema=INTERACTIONS.schema)
