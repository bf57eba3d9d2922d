"""Interactions as files that all processes of a machine map into memory and none holds for itself.

They are written from batches, so the plays are never in memory at once either.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from tasks.collaborative.interactions import (
    Interactions,
    Keys,
    Starts,
    are_short,
    as_keys,
    fill_columns,
    pointer,
)

Number = TypeVar("Number", np.uint16, np.int32)

USER_STARTS, USER_TRACKS = "user_starts", "user_tracks"
TRACK_STARTS, TRACK_USERS = "track_starts", "track_users"


def write_interactions(
    batches: Iterable[tuple[NDArray[np.int32], NDArray[np.int32]]], tracks: int, folder: Path
) -> None:
    """Write the plays of ``batches`` (listener, track), sorted by both and no pair twice.

    Listeners become row numbers in order. The folder, replaced if there is one, is whole or absent.
    """
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    track_starts = pointer(_write_rows(batches, tracks, partial))
    track_starts.tofile(partial / TRACK_STARTS)
    rows = _rows(partial, tracks)
    with (partial / TRACK_USERS).open("wb") as file:
        file.truncate(4 * len(rows[1]))
    track_users = _mapped(partial / TRACK_USERS, np.int32, "r+")
    fill_columns(*rows, track_starts, track_users)
    for path in partial.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)


def mapped_interactions(folder: Path) -> Interactions:
    """Return what `write_interactions` wrote, without reading it: pages come as they are used.

    Writing to the arrays changes this process's view alone.
    """
    track_starts = _mapped(folder / TRACK_STARTS, np.int32)
    rows = _rows(folder, len(track_starts) - 1)
    return Interactions(*rows, track_starts, _mapped(folder / TRACK_USERS, np.int32))


def _write_rows(
    batches: Iterable[tuple[NDArray[np.int32], NDArray[np.int32]]], tracks: int, folder: Path
) -> NDArray[np.int64]:
    """Write both arrays of the rows and return how many listeners each track has."""
    listeners = np.zeros(tracks, np.int64)
    plays, last = 0, -1
    with (folder / USER_STARTS).open("wb") as starts, (folder / USER_TRACKS).open("wb") as keys:
        for users, tracks_of in batches:
            if len(users) == 0:
                continue
            first = np.flatnonzero(np.diff(users, prepend=np.int32(last)))
            (plays + first).astype(np.int32).tofile(starts)
            as_keys(tracks_of, tracks).tofile(keys)
            listeners += np.bincount(tracks_of, minlength=tracks)
            plays, last = plays + len(users), users[-1]
        np.array([plays], np.int32).tofile(starts)
    return listeners


def _rows(folder: Path, tracks: int) -> tuple[Starts, Keys]:
    keys = folder / USER_TRACKS
    return (
        _mapped(folder / USER_STARTS, np.int32),
        _mapped(keys, np.uint16) if are_short(tracks) else _mapped(keys, np.int32),
    )


def _mapped(path: Path, dtype: type[Number], mode: Literal["c", "r+"] = "c") -> NDArray[Number]:
    """Map a file, copy on write; the kernels are compiled for plain arrays that can be written."""
    if path.stat().st_size == 0:  # which cannot be mapped
        return np.empty(0, dtype)
    return np.asarray(np.memmap(path, dtype, mode))
