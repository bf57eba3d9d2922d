"""The ranking kernel: docs/scoring.md, compiled.

Tracks are numbered by popularity in here (see `kernel_layout`); what is written out are track keys.
A list is made in four passes: sum the neighbours of the history (`sums`), find the best of what was
touched (`topk`), give reasons, and fill up what is short (`fill`).
"""

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tasks.blend.kernels.fill import fill, same_artist_tracks
from tasks.blend.kernels.kernel_layout import PackedEdges
from tasks.blend.kernels.sums import Candidates, accumulate, gather, leave_out, new_candidates
from tasks.blend.kernels.topk import Workspace, best, new_workspace, unpacked
from tasks.blend.model import KernelModel
from tasks.blend.scoring import Query, new_signals, signals, source_of, ticks
from warehouse.contract.constants import Source


class Histories(NamedTuple):
    """Sets of tracks, one for each list: CSR rows."""

    indptr: NDArray[np.int64]
    tracks: NDArray[np.int32]


class RankedLists(NamedTuple):
    """One row of k columns per history; positions past the end of a short list hold track -1."""

    tracks: NDArray[np.int32]
    collaborative: NDArray[np.int16]
    """c' in ticks."""
    content: NDArray[np.int16]
    """d in ticks."""
    score: NDArray[np.int16]
    """Final score in ticks, after the artist factor."""
    repeats: NDArray[np.int8]
    """n, the exponent of the artist factor."""
    source: NDArray[np.int8]
    because: NDArray[np.int16]
    """Position in the history of the track that contributed most, -1: none."""


@nb.njit(cache=True, nogil=True)
def rank_all(
    histories: Histories,
    strengths: NDArray[np.uint8],
    disliked: Histories,
    weights: NDArray[np.float64],
    priors: NDArray[np.float64],
    model: KernelModel,
    gamma: float,
    out: RankedLists,
) -> None:
    """Rank every history in turn with one set of accumulators.

    Tracks are in ranks of popularity; each history must be in the order of its track keys, which
    decides ties between reasons. ``strengths`` are those of their tracks; none: all are 1.
    ``disliked`` tracks are in no list; everything else is scored as
    if they could be.
    """
    n, k = len(model.popularity), out.tracks.shape[1]
    artist_key = model.tracks.artist
    sums = np.zeros(n, np.int64)
    touched = np.empty(n + 1, np.uint32)
    candidates = new_candidates(n)
    given = new_signals(n)
    workspace = new_workspace(artist_key)
    listed = np.zeros(n, np.bool_)
    row_of = np.zeros(n, np.int16)
    found_at = np.empty(k, np.int32)
    row = np.empty(k, np.int32)
    for u in range(len(histories.indptr) - 1):
        history = histories.tracks[histories.indptr[u] : histories.indptr[u + 1]]
        strong = strengths[histories.indptr[u] : histories.indptr[u + 1]]
        left_out = disliked.tracks[disliked.indptr[u] : disliked.indptr[u + 1]]
        w, p = weights[u], priors[u]
        popular = model.popular if p > 0 or len(history) == 0 else 0
        count = accumulate(history, strong, popular, model.neighbours, sums, touched)
        sum_up = gather(touched[:count], history, sums, model.popularity, candidates)
        query = Query(w, p, gamma, sum_up.c_max, sum_up.d_max, len(history) == 0)
        found = leave_out(left_out, sum_up.found, candidates, listed)
        signals(candidates, found, sum_up.c_max, sum_up.d_max, given)
        rows = best(query, candidates, found, given, model.tracks, k, workspace)
        _write(query, candidates, workspace, found_at[:rows], u, out)
        found_rows = found_at[:rows]
        _explain(query, history, strong, model.neighbours, candidates, found_rows, row_of, u, out)
        if rows < k:
            for r in range(rows):
                row[r] = candidates.tracks[found_at[r]]
            same_artist = same_artist_tracks(history, artist_key, model.by_artist)
            same_artist_end = fill(
                history, left_out, same_artist, model.eligible, rows, row, listed
            )
            _write_fillers(history, row, rows, same_artist_end, model, u, out)


@nb.njit(cache=True, nogil=True)
def _write(
    query: Query,
    candidates: Candidates,
    workspace: Workspace,
    found_at: NDArray[np.int32],
    u: int,
    out: RankedLists,
) -> None:
    """Write the rows of the best candidates but for their reasons.

    ``found_at`` receives where each row stands among the candidates.
    """
    c_sums, d_sums = candidates.collaborative, candidates.content
    for r in range(len(found_at)):
        entry = unpacked(workspace.order[r])
        x = workspace.place[entry.key]
        found_at[r] = x
        scored = ticks(query, c_sums[x], d_sums[x], candidates.popularity[x])
        out.tracks[u, r] = entry.key
        out.collaborative[u, r] = scored.collaborative
        out.content[u, r] = scored.content
        out.score[u, r] = entry.score
        out.repeats[u, r] = entry.repeats
        out.source[u, r] = source_of(c_sums[x], d_sums[x], query.no_history)


@nb.njit(cache=True, nogil=True)
def _explain(
    query: Query,
    history: NDArray[np.int32],
    strengths: NDArray[np.uint8],
    neighbours: PackedEdges,
    candidates: Candidates,
    found_at: NDArray[np.int32],
    row_of: NDArray[np.int16],
    u: int,
    out: RankedLists,
) -> None:
    """Write for each row the history track with the largest blended contribution.

    ``row_of`` holds 0 for every track and does so again afterwards.
    """
    w, c_max, d_max = query.w, query.c_max, query.d_max
    indptr, targets, weights = neighbours.indptr, neighbours.targets, neighbours.weights
    tracks, popularities = candidates.tracks, candidates.popularity
    best = np.zeros(len(found_at), np.float64)
    for r in range(len(found_at)):
        if out.source[u, r] != Source.POPULAR.value:
            row_of[tracks[found_at[r]]] = r + 1
    for x in range(len(history)):
        i = history[x]
        strength = np.int64(strengths[x]) if len(strengths) else np.int64(1)
        to, by = targets[indptr[i] : indptr[i + 1]], weights[indptr[i] : indptr[i + 1]]
        for e in range(len(to)):
            row = row_of[to[e]]
            if row == 0:
                continue
            r = row - 1
            content = np.int16(by[e])
            q = strength * ((np.int64(by[e]) - content) >> 16)
            v = strength * np.int64(content)
            if popularities[found_at[r]] == 0.0 or c_max <= 0:
                part = np.float64(v)
            else:
                part = w * (q / c_max) + (1.0 - w) * (v / d_max if d_max > 0 else 0.0)
            if out.because[u, r] < 0 or part > best[r]:
                best[r] = part
                out.because[u, r] = x
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
    out: RankedLists,
) -> None:
    """Write what fills a list, with score 0; the reason is the first track by the same artist."""
    track_key, artist_key = model.tracks.key, model.tracks.artist
    for r in range(rows, len(row)):
        j = row[r]
        if j < 0:
            break
        out.tracks[u, r] = track_key[j]
        if r < same_artist_end:
            out.source[u, r] = Source.SAME_ARTIST.value
            for x in range(len(history)):
                if artist_key[history[x]] == artist_key[j]:
                    out.because[u, r] = x
                    break
        else:
            is_cold = model.popularity[j] == 0.0
            out.source[u, r] = Source.CATALOGUE.value if is_cold else Source.POPULAR.value
