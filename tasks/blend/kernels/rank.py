"""The ranking kernel: docs/scoring.md, compiled.

Tracks are numbered by popularity in here (see `kernel_layout`); what is written out are track keys.
A list is made in four passes: sum the neighbours of the history (`sums`), find the best of what was
touched (`topk`), give reasons, and fill up what is short (`fill`).
"""

from typing import TypeAlias

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.blend.kernels.fill import fill, same_artist_tracks
from tasks.blend.kernels.kernel_layout import Packed
from tasks.blend.kernels.sums import Candidates, accumulate, gather, new_candidates
from tasks.blend.kernels.topk import Workspace, best, new_workspace, unpacked
from tasks.blend.model import KernelModel
from tasks.blend.scoring import Query, new_signals, signals, source_of, ticks
from warehouse.contract.constants import Source

Lists: TypeAlias = tuple[
    NDArray[np.int32],
    NDArray[np.int16],
    NDArray[np.int16],
    NDArray[np.int16],
    NDArray[np.int8],
    NDArray[np.int8],
    NDArray[np.int16],
]
"""The arrays of RankedLists: tracks, collaborative, content, score, repeats, source, because."""


@nb.njit(cache=True, nogil=True)
def rank_all(
    indptr: NDArray[np.int64],
    histories: NDArray[np.int32],
    weights: NDArray[np.float64],
    priors: NDArray[np.float64],
    model: KernelModel,
    gamma: float,
    out: Lists,
) -> None:
    """Rank every history in turn with one set of accumulators.

    Histories are in ranks of popularity; each must be in the order of its track keys, which decides
    ties between reasons.
    """
    n, k = len(model.popularity), out[0].shape[1]
    artist_key = model.tracks[1]
    sums = np.zeros(n, np.int64)
    touched = np.empty(n + 1, np.uint32)
    candidates = new_candidates(n)
    given = new_signals(n)
    workspace = new_workspace(artist_key)
    listed = np.zeros(n, np.bool_)
    row_of = np.zeros(n, np.int16)
    found_at = np.empty(k, np.int32)
    row = np.empty(k, np.int32)
    for u in range(len(indptr) - 1):
        history = histories[indptr[u] : indptr[u + 1]]
        w, p = weights[u], priors[u]
        popular = model.popular if p > 0 or len(history) == 0 else 0
        count = accumulate(history, popular, model.neighbours, sums, touched)
        found, c_max, d_max = gather(touched[:count], history, sums, model.popularity, candidates)
        query = (w, p, gamma, c_max, d_max, len(history) == 0)
        signals(candidates, found, c_max, d_max, given)
        rows = best(query, candidates, found, given, model.tracks, k, workspace)
        _write(query, candidates, workspace, found_at[:rows], u, out)
        _explain(query, history, model.neighbours, candidates, found_at[:rows], row_of, u, out)
        if rows < k:
            for r in range(rows):
                row[r] = candidates[0][found_at[r]]
            same_artist = same_artist_tracks(history, artist_key, model.by_artist)
            same_artist_end = fill(history, same_artist, model.eligible, rows, row, listed)
            _write_fillers(history, row, rows, same_artist_end, model, u, out)


@nb.njit(cache=True, nogil=True)
def _write(
    query: Query,
    candidates: Candidates,
    workspace: Workspace,
    found_at: NDArray[np.int32],
    u: int,
    out: Lists,
) -> None:
    """Write the rows of the best candidates but for their reasons.

    ``found_at`` receives where each row stands among the candidates.
    """
    _, c_sums, d_sums, popularities = candidates
    for r in range(len(found_at)):
        key, score, repeats = unpacked(workspace.order[r])
        x = workspace.place[key]
        found_at[r] = x
        out[0][u, r] = key
        out[1][u, r], out[2][u, r], _ = ticks(query, c_sums[x], d_sums[x], popularities[x])
        out[3][u, r] = score
        out[4][u, r] = repeats
        out[5][u, r] = source_of(c_sums[x], d_sums[x], query[5])


@nb.njit(cache=True, nogil=True)
def _explain(
    query: Query,
    history: NDArray[np.int32],
    neighbours: Packed,
    candidates: Candidates,
    found_at: NDArray[np.int32],
    row_of: NDArray[np.int16],
    u: int,
    out: Lists,
) -> None:
    """Write for each row the history track with the largest blended contribution.

    ``row_of`` holds 0 for every track and does so again afterwards.
    """
    w, _, _, c_max, d_max, _ = query
    indptr, targets, weights = neighbours
    tracks, _, _, popularities = candidates
    best = np.zeros(len(found_at), np.float64)
    for r in range(len(found_at)):
        if out[5][u, r] != Source.POPULAR.value:
            row_of[tracks[found_at[r]]] = r + 1
    for x in range(len(history)):
        i = history[x]
        to, by = targets[indptr[i] : indptr[i + 1]], weights[indptr[i] : indptr[i + 1]]
        for e in range(len(to)):
            row = row_of[to[e]]
            if row == 0:
                continue
            r = row - 1
            v = np.int16(by[e])
            q = (np.int64(by[e]) - v) >> 16
            if popularities[found_at[r]] == 0.0 or c_max <= 0:
                part = np.float64(v)
            else:
                part = w * (q / c_max) + (1.0 - w) * (v / d_max if d_max > 0 else 0.0)
            if out[6][u, r] < 0 or part > best[r]:
                best[r] = part
                out[6][u, r] = x
    for x in found_at:
        row_of[tracks[x]] = 0


@nb.njit(cache=True, nogil=True)
def _write_fillers(
    history: NDArray[np.int32],
    row: NDArray[np.int32],
    rows: int,
    same_artist_end: int,
    model: KernelModel,
    u: int,
    out: Lists,
) -> None:
    """Write what fills a list, with score 0; the reason is the first track by the same artist."""
    track_key, artist_key, _ = model.tracks
    for r in range(rows, len(row)):
        j = row[r]
        if j < 0:
            break
        out[0][u, r] = track_key[j]
        if r < same_artist_end:
            out[5][u, r] = Source.SAME_ARTIST.value
            for x in range(len(history)):
                if artist_key[history[x]] == artist_key[j]:
                    out[6][u, r] = x
                    break
        else:
            is_cold = model.popularity[j] == 0.0
            out[5][u, r] = Source.CATALOGUE.value if is_cold else Source.POPULAR.value
