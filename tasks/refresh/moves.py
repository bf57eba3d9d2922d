"""How the tracks of one catalogue are found in another: by their ids."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.lake.dataset import Dataset


@dataclass(frozen=True)
class Moves:
    """How the tracks of one catalogue are found in another."""

    keys: NDArray[np.int32]
    """Today's key of each track before, ascending; -1: removed."""
    earlier: NDArray[np.int32]
    """The key before of each track of today; -1: new."""
    artists: NDArray[np.int32]
    """Artist of each track of today, -1 for none."""
    artists_before: NDArray[np.int32]
    """The same artist's key before; -1: nobody who had a track that is still there."""
    artists_are_same: bool
    """Whether the tracks that stayed are by one artist where they were before."""

    @classmethod
    def between(cls, before: Dataset, tracks: Dataset) -> "Moves":
        """Compare TRACKS of before with today's."""
        then, now = (one.read(["track_id", "artist_key"]) for one in (before, tracks))
        earlier, artists = keys_of(then, now), _artists(now)
        known = (earlier >= 0) & (artists >= 0)
        of_artist = np.full(int(artists.max(initial=-1)) + 1, -1, np.int32)
        # the first track of each artist decides, so they are set from the last to the first
        first_last = np.flatnonzero(known)[::-1]
        of_artist[artists[first_last]] = _artists(then)[earlier[first_last]]
        artists_before = np.full(len(artists), -1, np.int32)
        artists_before[artists >= 0] = of_artist[artists[artists >= 0]]
        kept = earlier >= 0
        pairs = np.unique(np.stack([_artists(then)[earlier[kept]], artists[kept]]), axis=1)
        nobody = (pairs < 0).any(axis=0) != (pairs < 0).all(axis=0)
        are_same = not nobody.any() and all(len(np.unique(one)) == len(one) for one in pairs)
        return cls(keys_of(now, then), earlier, artists, artists_before, are_same)

    @property
    def are_none(self) -> bool:
        """Whether both catalogues have the same tracks by the same artists."""
        same = np.arange(len(self.keys), dtype=np.int32)
        return self.artists_are_same and all(
            np.array_equal(one, same) for one in (self.keys, self.earlier)
        )

    @property
    def is_new(self) -> NDArray[np.bool_]:
        """Whether each track of today is new."""
        return np.asarray(self.earlier < 0)


def keys_of(catalogue: pa.Table, tracks: pa.Table) -> NDArray[np.int32]:
    """Return for each of ``tracks`` its key in a catalogue (track_id), -1 where it is not there.

    Keys are given out in byte order of the ids, so the keys that are there ascend.
    """
    found = pc.index_in(tracks["track_id"], value_set=catalogue["track_id"].combine_chunks())
    keys: NDArray[np.int32] = found.fill_null(-1).to_numpy()
    return keys


def _artists(tracks: pa.Table) -> NDArray[np.int32]:
    keys: NDArray[np.int32] = tracks["artist_key"].fill_null(-1).to_numpy()
    return keys
