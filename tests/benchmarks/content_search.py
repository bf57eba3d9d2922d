"""Exact neighbours against scikit-learn: `python -m tests.benchmarks.content_search EMBEDDING`.

EMBEDDING is the file of that name that the content stage leaves in the lake. Both search the same
unit vectors over the same cores, in turns: ours in one process per core, as on a Dask cluster,
scikit-learn's brute force with its own threads. Seconds are wall time, the median of the turns.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tasks.content.search import NearestTracks, Space, nearest
from tasks.content.stage import read_space, tile_blocks
from tasks.lake.blocks import Block


def ours(
    pool: ProcessPoolExecutor, file: Path, bonus: bool, size: int, k: int
) -> NDArray[np.int32]:
    """Search in blocks and join them."""
    blocks = tile_blocks(size, 16)
    found = pool.map(partial(_block, file, bonus, k), blocks)
    return np.concatenate([part.tracks for part in found])


def _block(file: Path, bonus: bool, k: int, block: Block) -> NearestTracks:
    space = read_space(file)
    if not bonus:
        space = Space(space.vectors, space.artists, 0.0)
    with threadpool_limits(limits=1):
        return nearest(space, block.start, block.stop, k)


def brute(vectors: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Search as scikit-learn does; on unit vectors the nearest are the most similar."""
    model = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(vectors)
    found = np.asarray(model.kneighbors(vectors, return_distance=False))
    # A track is its own nearest, or, among equal ones, one of them.
    own = found == np.arange(len(found))[:, None]
    own[~own.any(axis=1), -1] = True
    return np.asarray(found[~own], np.int64).reshape(len(found), k)


def agreement(
    vectors: NDArray[np.float32], one: NDArray[np.integer], two: NDArray[np.integer]
) -> tuple[float, float]:
    """Return the share of equal entries, and the largest difference in similarity by place."""
    apart = 0.0
    for row in range(0, len(vectors), 2_000):
        some = slice(row, row + 2_000)
        a, b = (
            np.einsum("ij,ikj->ik", vectors[some].astype(np.float64), vectors[keys[some]])
            for keys in (one, two)
        )
        apart = max(apart, float(np.abs(np.sort(a) - np.sort(b)).max()))
    return float((one == two).mean()), apart


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("embedding", type=Path)
    parser.add_argument("-k", type=int, default=100)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    space, k = read_space(options.embedding), options.k
    vectors, cores = space.vectors, os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        runs: dict[str, Callable[[], NDArray[np.integer]]] = {
            "ours": lambda: ours(pool, options.embedding, False, space.size, k),
            "scikit-learn": lambda: brute(vectors, k),
            "ours, with the artist": lambda: ours(pool, options.embedding, True, space.size, k),
        }
        runs["ours"]()  # starts the processes and reads the compiled kernels
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        found = {}
        for _ in range(options.turns):
            for name, run in runs.items():
                began = time.perf_counter()
                found[name] = run()
                seconds[name].append(time.perf_counter() - began)
    print(f"{vectors.shape[0]:,} × {vectors.shape[1]}, top {k}, {cores} cores")
    for name, taken in seconds.items():
        print(f"{name:22} {statistics.median(taken):6.1f} s   ({min(taken):.1f}-{max(taken):.1f})")
    equal, apart = agreement(vectors, found["ours"], found["scikit-learn"])
    print(f"equal entries {equal:.6f}, similarities by place differ by at most {apart:.1e}")


if __name__ == "__main__":
    main()
