"""docs/scoring.md once more, as slow and plain as it can be said."""

import math
from dataclasses import dataclass

from tasks.blend.model import EdgeTable, HybridModel
from warehouse.contract.constants import TICKS


@dataclass(frozen=True)
class Row:
    """One row of a list, scores in ticks."""

    track: int
    collaborative: int
    content: int
    score: int
    source: str
    because: int | None


def _sums(table: EdgeTable, strength: dict[int, int], n: int) -> list[int]:
    sums = [0] * n
    for i, times in strength.items():
        for e in range(table.indptr[i], table.indptr[i + 1]):
            for _ in range(times):  # a strength of k is k copies
                sums[table.targets[e]] += int(table.weights[e])
    return sums


def _edge(table: EdgeTable, i: int, j: int) -> int:
    for e in range(table.indptr[i], table.indptr[i + 1]):
        if table.targets[e] == j:
            return int(table.weights[e])
    return 0


def rank(
    model: HybridModel,
    history: list[int],
    w: float,
    p: float,
    exclude: frozenset[int] = frozenset(),
    heard: bool = False,
    strengths: list[int] | None = None,
) -> list[Row]:
    """Rank every eligible track for a history; w and p as given; strengths None: all 1."""
    catalogue, parameters = model.catalogue, model.parameters
    n = len(catalogue)
    strength = dict(zip(history, strengths or [1] * len(history), strict=True))
    c_sum, d_sum = (_sums(table, strength, n) for table in (model.collaborative, model.content))
    outside = [j for j in range(n) if j not in history]
    c_max = max([c_sum[j] for j in outside] + [0])
    d_max = max([d_sum[j] for j in outside] + [0])
    cold = [bool(x) for x in catalogue.is_cold]
    pop = [float(x) for x in catalogue.popularity]
    by_listeners = [int(j) for j in catalogue.by_listeners]
    popular = {j for j in by_listeners[: parameters.popular_candidates] if not cold[j]}
    artist = [int(a) for a in catalogue.artist_key]

    rows = []
    for j in range(n):
        if (j in history and not heard) or j in exclude:
            continue
        touched = any(_edge(t, i, j) for i in history for t in (model.collaborative, model.content))
        if not touched and not (j in popular and (p > 0 or not history)):
            continue
        d = math.sqrt(min(1.0, d_sum[j] / d_max)) if d_max > 0 else 0.0
        estimated = cold[j] or c_max <= 0
        c = parameters.gamma * d if estimated else math.sqrt(min(1.0, max(0.0, c_sum[j] / c_max)))
        if not history:
            c = pop[j]
        elif not cold[j]:
            c = (c + p * pop[j]) / (1 + p)
        c_tick, d_tick = math.floor(c * TICKS + 0.5), math.floor(d * TICKS + 0.5)
        score = math.floor(w * c_tick + (1 - w) * d_tick + 0.5)
        if score == 0:
            continue
        if history and c_sum[j] > 0 and not cold[j]:
            source = "hybrid" if d_sum[j] > 0 else "collaborative"
        elif history and d_sum[j] > 0:
            source = "content"
        else:
            source = "popular"
        because, best = None, 0.0
        for i in history if source != "popular" else []:
            q, r = _edge(model.collaborative, i, j), _edge(model.content, i, j)
            if q == 0 and r == 0:
                continue
            q, r = strength[i] * q, strength[i] * r
            part = float(r)
            if not estimated:
                part = w * (q / c_max) + (1 - w) * (r / d_max if d_max > 0 else 0.0)
            if because is None or part > best:
                because, best = i, part
        rows.append(Row(j, c_tick, d_tick, score, source, because))

    rows.sort(key=lambda row: (-row.score, row.track))
    seen: dict[int, int] = {}
    marked = []
    for row in rows:
        a = artist[row.track]
        above = seen.get(a, 0) if a >= 0 else 0
        seen[a] = above + 1
        score = row.score
        if above > 3:
            score = max(1, math.floor(score * parameters.artist_factor ** min(above - 3, 15) + 0.5))
        marked.append(
            Row(row.track, row.collaborative, row.content, score, row.source, row.because)
        )
    marked.sort(key=lambda row: (-row.score, row.track))

    listed = {row.track for row in marked}
    rest = [
        j
        for j in by_listeners
        if j not in listed and (heard or j not in history) and j not in exclude
    ]
    same_artist = {artist[i]: i for i in sorted(history, reverse=True) if artist[i] >= 0}
    same = [j for j in rest if artist[j] in same_artist]
    tail = [Row(j, 0, 0, 0, "same_artist", same_artist[artist[j]]) for j in same]
    for j in rest:
        if artist[j] not in same_artist:
            tail.append(Row(j, 0, 0, 0, "catalogue" if cold[j] else "popular", None))
    return marked + tail
