"""Bits of sound and of taste, of which two tracks differ in more the less they are alike.

Each bit says on which side of a random hyperplane through the mean the track is, so two tracks
differ in a share angle / π of them (Charikar 2002, "Similarity estimation techniques from rounding
algorithms"). A few bytes for each track let a query compare any two of hundreds.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from warehouse.contract.constants import SOUND_BITS, TASTE_BITS, WEIGHT_SCALE

SEED = 20260101
"""Of the hyperplanes: the same in every release."""


class Signatures(NamedTuple):
    """Bits of every track, 64 in a number."""

    sound: NDArray[np.uint64]
    """tracks × `SOUND_BITS` / 64, from the content embedding."""
    taste: NDArray[np.uint64]
    """tracks × `TASTE_BITS` / 64, from what is played by the same listeners."""


def signatures(vectors: NDArray[np.float32], similarity: sparse.csr_array) -> Signatures:
    """Return the bits for content vectors and a similarity matrix (tracks × tracks) of edges."""
    planes = np.random.default_rng(SEED)
    centred = vectors - vectors.mean(axis=0, keepdims=True) if len(vectors) else vectors
    normals = planes.standard_normal((vectors.shape[1], SOUND_BITS), np.float32)
    tracks = similarity.shape[0]
    spread = planes.standard_normal((tracks, TASTE_BITS), np.float32)
    near = spread + (similarity @ spread) / np.float32(WEIGHT_SCALE)
    return Signatures(_bits(centred @ normals), _bits(near))


def _bits(sides: NDArray[np.floating]) -> NDArray[np.uint64]:
    """Pack which values are above 0, 64 in a number."""
    packed = np.packbits(sides > 0, axis=1, bitorder="little")
    return np.ascontiguousarray(packed).view(np.dtype("<u8")).astype(np.uint64)
