"""What the scripts that a user would otherwise write have in common: reading, and writing."""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

NEIGHBOURS, LIST, BATCH = 100, 20, 100_000
AUDIO = [
    *("danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness"),
    *("liveness", "valence", "tempo", "duration_ms", "year"),
]


class Clock:
    """Prints the seconds since its start after each step."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    def __call__(self, step: str) -> None:
        """Print them."""
        print(f"{step}: {time.perf_counter() - self._started:.1f} s", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Listening:
    """Both files, and who played what."""

    tracks: pd.DataFrame
    plays: pd.DataFrame
    """Of tracks of the catalogue."""
    users: "pd.Index[str]"
    matrix: sparse.csr_matrix
    """Listeners by tracks: 1 for each pair, or the plays."""


def listening(tracks_path: Path, plays_path: Path, counts: bool, clock: Clock) -> Listening:
    """Read both files; ``counts``: the matrix holds plays."""
    tracks = pd.read_csv(tracks_path)
    plays = pd.read_csv(plays_path)
    clock("read")
    plays = plays[plays["track_id"].isin(tracks["track_id"])]
    users = plays["user_id"].astype("category")
    track = pd.Index(tracks["track_id"]).get_indexer(pd.Index(plays["track_id"]))
    ones = np.ones(len(plays), np.float32)
    values = plays["playcount"].to_numpy(np.float32) if counts else ones
    shape = (len(users.cat.categories), len(tracks))
    matrix = sparse.csr_matrix((values, (users.cat.codes, track)), shape=shape)
    clock("matrix")
    return Listening(tracks, plays, users.cat.categories, matrix)


def lists_of(model: Any, matrix: Any) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the top tracks of every listener by an implicit model, and their scores."""
    lists, scores = [], []
    for start in range(0, matrix.shape[0], BATCH):
        batch = np.arange(start, min(start + BATCH, matrix.shape[0]))
        found, score = model.recommend(batch, matrix[batch], N=LIST)
        lists.append(found)
        scores.append(score)
    return np.concatenate(lists), np.concatenate(scores)


def keep(
    out: Path,
    heard: Listening,
    edges: Mapping[str, sparse.csr_matrix],
    lists: Sequence[Any],
) -> None:
    """Write it all to a DuckDB file; ``lists`` are those of all listeners, and their scores."""
    listed, score = lists
    users = len(heard.users)
    recommendations = pa.table(
        {
            "user": np.repeat(np.arange(users, dtype=np.int32), LIST),
            "rank": np.tile(np.arange(1, LIST + 1, dtype=np.int8), users),
            "track": listed.ravel().astype(np.int32),
            "score": score.ravel().astype(np.float32),
        }
    )
    ids = heard.tracks["track_id"].to_numpy(dtype=object)
    frames = {
        "tracks": heard.tracks,
        "users": pd.DataFrame({"user": range(users), "user_id": heard.users}),
        "plays": heard.plays,
        **{name: _edge_frame(matrix, ids) for name, matrix in edges.items()},
    }
    out.unlink(missing_ok=True)
    with duckdb.connect(str(out)) as con:
        con.register("recommendations_table", recommendations)
        for name, frame in frames.items():
            con.register(f"{name}_frame", frame)
            con.execute(f"CREATE TABLE {name} AS FROM {name}_frame")
        con.execute(
            "CREATE TABLE user_recommendations AS "
            "FROM recommendations_table WHERE track >= 0 ORDER BY user, rank"
        )


def _edge_frame(matrix: sparse.csr_matrix, ids: NDArray[np.object_]) -> pd.DataFrame:
    """One row per pair of neighbours."""
    pairs = matrix.tocoo()
    return pd.DataFrame(
        {"track_id": ids[pairs.row], "similar_track_id": ids[pairs.col], "score": pairs.data}
    )
