"""Keyed hashes of ids: the same listeners and tracks are drawn, run after run."""

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


def id_hashes(ids: pa.ChunkedArray | pa.Array, seed: int) -> Hashes:
    """Hash string ids (SipHash keyed by ``seed``), one uint64 each."""
    values = np.asarray(ids.to_numpy(zero_copy_only=False), dtype=object)
    return pd.util.hash_array(values, hash_key=f"{seed:016d}", categorize=False)


def mixed(values: Hashes, stream: int = 0) -> Hashes:
    """Scramble uint64 values (the finaliser of SplitMix64, Steele et al. 2014)."""
    z = values + np.uint64((0x9E3779B97F4A7C15 * (stream + 1)) % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)
