"""Independent random streams by name, so that an added draw does not change the others."""

import zlib

import numpy as np


def stream(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """Return the generator of one purpose (and one block of it) under a seed."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), index])
