"""The two tables of a release that artists and sequences of tracks are answered from."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import sparse

from tasks.music.audiences import Audiences, Credits, audiences
from tasks.music.nearest import NearestArtists, nearest_artists
from tasks.music.signatures import signatures
from warehouse.contract.constants import sql_constants
from warehouse.statements import double, filled, statement

TAGS = 8
"""Most frequent tags of an artist that are kept."""


def music_tables(
    files: Mapping[str, Path], gamma: float, memory_limit: str, threads: int
) -> dict[str, pa.Table]:
    """Return ``artists``, a row for each artist, and ``signatures``, a row for each track.

    ``files`` are the lake's tracks, interactions, content, similarity and embedding; ``gamma`` is
    the blend's γ.
    """
    with duckdb.connect(config={"memory_limit": memory_limit, "threads": threads}) as connection:
        connection.execute("CREATE SCHEMA store")
        connection.execute(statement("warehouse.build", "spelled"))
        for name in ("tracks", "content"):
            connection.execute(f"SET VARIABLE {name} = ?", [str(files[name])])
        connection.execute(statement("tasks.music", "sql/credits"))
        tracks = pq.ParquetFile(files["tracks"]).metadata.num_rows
        made_by = _credits(connection, tracks)
        heard_by = _audiences(files, made_by)
        values = {"gamma": double(gamma), "artist_tags": str(TAGS), **sql_constants()}
        connection.execute(filled(statement("tasks.music", "sql/discographies"), values))
        found = nearest_artists(
            heard_by, _likeness(connection, made_by.count),
            np.bincount(made_by.artists, minlength=made_by.count), gamma, threads,
        )  # fmt: skip
        connection.register("nearest", _lists(found, heard_by))
        artists = connection.sql(
            filled(statement("tasks.music", "sql/artists"), values)
        ).to_arrow_table()
    return {"artists": artists, "signatures": _signatures(files, made_by, tracks)}


def _credits(connection: duckdb.DuckDBPyConnection, tracks: int) -> Credits:
    found = connection.execute(
        "SELECT c.track_key, c.artist_key FROM credits c ORDER BY c.track_key, c.artist_key"
    ).fetchnumpy()
    counts = np.bincount(found["track_key"], minlength=tracks)
    artists = np.asarray(found["artist_key"], np.int32)
    count = connection.execute("SELECT count(*) FROM artists").fetchall()[0][0]
    return Credits(np.concatenate([[0], np.cumsum(counts)]), artists, count)


def _audiences(files: Mapping[str, Path], made_by: Credits) -> Audiences:
    played = pq.read_table(files["tracks"], columns=["played_key"])["played_key"]
    track_of = np.flatnonzero(played.is_valid().to_numpy())
    track_of = track_of[np.argsort(played.drop_null().to_numpy())].astype(np.int32)
    plays = pq.read_table(files["interactions"], columns=["user_key", "played_key"])
    return audiences(
        plays["user_key"].to_numpy(), track_of[plays["played_key"].to_numpy()], made_by
    )


def _likeness(connection: duckdb.DuckDBPyConnection, artists: int) -> sparse.csr_array:
    found = connection.execute(statement("tasks.music", "sql/likeness")).fetchnumpy()
    apart = found["artist"] != found["other"]
    artist, other, likeness = (found[name][apart] for name in ("artist", "other", "likeness"))
    return sparse.csr_array((likeness, (artist, other)), shape=(artists, artists))


def _lists(found: NearestArtists, heard_by: Audiences) -> pa.Table:
    """Give each artist its row, without the places that are not used."""
    used = (found.keys >= 0) & ((found.collaborative > 0) | (found.content > 0))
    offsets = pa.array(np.concatenate([[0], np.cumsum(used.sum(axis=1))]), pa.int32())
    columns: dict[str, NDArray[np.integer]] = {
        "near": found.keys,
        "near_collaborative": found.collaborative,
        "near_content": found.content,
        "near_shared": found.shared,
    }
    return pa.table(
        {
            "artist_key": np.arange(len(used), dtype=np.int32),
            "listeners": heard_by.listeners.astype(np.int32),
            **{
                name: pa.ListArray.from_arrays(offsets, pa.array(values[used]))
                for name, values in columns.items()
            },
        }
    )


def _signatures(files: Mapping[str, Path], made_by: Credits, tracks: int) -> pa.Table:
    bits = signatures(_vectors(files["embedding"]), _similarity(files["similarity"], tracks))
    numbers = {
        f"{name}_{place + 1}": column
        for name, of in (("sound", bits.sound), ("taste", bits.taste))
        for place, column in enumerate(of.T)
    }
    has_listeners = (
        pq.read_table(files["tracks"], columns=["listeners"])["listeners"].to_numpy() > 0
    )
    return pa.table(
        {
            "track_key": np.arange(tracks, dtype=np.int32),
            "is_played": has_listeners,
            "artists": pa.ListArray.from_arrays(
                pa.array(made_by.starts, pa.int32()), pa.array(made_by.artists)
            ),
            **numbers,
        }
    )


def _vectors(embedding: Path) -> NDArray[np.float32]:
    vectors = pq.read_table(embedding, columns=["vector"])["vector"].combine_chunks()
    flat = vectors.flatten().to_numpy()
    return flat.reshape(len(vectors), -1) if len(flat) else np.zeros((len(vectors), 1), np.float32)


def _similarity(path: Path, tracks: int) -> sparse.csr_array:
    edges = pq.read_table(path)
    weight = edges["weight"].to_numpy().astype(np.float32)
    pairs = (edges["source"].to_numpy(), edges["target"].to_numpy())
    return sparse.csr_array((weight, pairs), shape=(tracks, tracks))
