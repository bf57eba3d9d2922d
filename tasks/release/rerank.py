"""Two measured models answer the same question: today's, on listeners held out of both.

The question is put over the *common* tracks: those in both catalogues, but for the ones that only
the challenger has seen played by those it learned from. Only these are candidates, histories and
targets, for both alike. So neither a new track nor the first plays of an old one speak for or
against a challenger, while a track whose plays it has lost counts against it.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from tasks.blend.model import BlendCatalogue, EdgeTable, HybridModel, track_edges
from tasks.blend.parameters import segment_of
from tasks.evaluation.measure import DEPTH, metric_name
from tasks.evaluation.metrics import Values, hits, ndcg, recall, sizes
from tasks.evaluation.points import BlendPoints, rank_points
from tasks.evaluation.report import GATED
from tasks.evaluation.split import Split, targets_of
from tasks.holdout.hashing import id_hashes
from tasks.holdout.rule import MIN_TRACKS
from tasks.release.measured_model import MeasuredModel

_METRICS = {"recall": recall, "ndcg": ndcg}

ENOUGH = 2_000
"""Answers that are enough: fewer listeners are asked several times, about other tracks."""

MOST_ROUNDS = 5
"""A fifth of a history is to be found, so there are five different questions in it."""


@dataclass(frozen=True)
class HeldOutPlays:
    """Plays of the listeners that the challenger has not seen, as they are today."""

    user_ids: pa.Array
    listener: NDArray[np.intp]
    """Row of ``user_ids`` of each play, ascending."""
    track: NDArray[np.int32]
    """Track key of each play, in the challenger's catalogue."""


@dataclass(frozen=True)
class Paired:
    """What both models reached for the same listeners."""

    user_ids: pa.Array
    ours: Mapping[str, Values]
    """Of each gated metric (`metric_name`), one value per listener: the challenger's."""
    theirs: Mapping[str, Values]
    tracks: int
    """Tracks that both were asked about."""
    new_tracks: int
    """Tracks left out that the other catalogue does not have."""
    newly_played: int
    """Tracks left out that only the challenger has seen played."""


def rounds_for(listeners: int) -> int:
    """Return how many questions each listener is asked, given the number of listeners."""
    return max(1, min(MOST_ROUNDS, -(-ENOUGH // max(1, listeners))))


def rerank(
    challenger: MeasuredModel,
    rival: MeasuredModel,
    plays: HeldOutPlays,
    rounds: int | None = None,
) -> Paired:
    """Rank the same histories with both models and look for the same targets.

    ``rounds`` is how many questions each listener is asked; None: `rounds_for` all of them.
    """
    of_rival = pc.index_in(rival.track_ids, value_set=challenger.track_ids)
    key_of = of_rival.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    rivals_listeners = np.full(len(challenger.track_ids), -1, np.int64)
    rivals_listeners[key_of[key_of >= 0]] = rival.listeners[key_of >= 0]
    is_known = rivals_listeners >= 0
    newly_played = is_known & (rivals_listeners == 0) & (challenger.listeners > 0)
    common = is_known & ~newly_played
    own_keys = np.arange(len(common), dtype=np.int32)
    models = (_over(challenger, own_keys, common), _over(rival, key_of, common))
    question = _asked(challenger, rival, plays, common)
    rounds = rounds or rounds_for(len(question.split))
    with ThreadPoolExecutor() as side_by_side:
        ours, theirs = side_by_side.map(
            lambda one: _values(one[0], one[1], question, rounds),
            zip(models, (challenger, rival), strict=True),
        )
    return Paired(
        question.user_ids,
        ours,
        theirs,
        int(np.count_nonzero(common)),
        int(np.count_nonzero(~is_known)),
        int(np.count_nonzero(newly_played)),
    )


@dataclass(frozen=True)
class _Question:
    """Histories over the common tracks, of listeners held out of both models."""

    user_ids: pa.Array
    split: Split
    tracks: int


def _asked(
    challenger: MeasuredModel,
    rival: MeasuredModel,
    plays: HeldOutPlays,
    common: NDArray[np.bool_],
) -> _Question:
    """Split the common tracks of every listener who has two of them, as the evaluation does."""
    is_stranger = rival.rule.holds_out(rival.rule.hashes(plays.user_ids))
    kept = common[plays.track] & is_stranger[plays.listener]
    tracks_of = np.bincount(plays.listener[kept], minlength=len(is_stranger))
    can_be_split = tracks_of >= MIN_TRACKS
    kept &= can_be_split[plays.listener]
    row = (np.cumsum(can_be_split) - 1)[plays.listener[kept]]
    user_ids = plays.user_ids.filter(pa.array(can_be_split))
    seed = challenger.rule.seed
    split = Split.of(
        id_hashes(user_ids, seed), row, plays.track[kept], id_hashes(challenger.track_ids, seed)
    )
    return _Question(user_ids, split, len(common))


def _over(
    model: MeasuredModel, key_of: NDArray[np.int32], common: NDArray[np.bool_]
) -> HybridModel:
    """Return the model over the common tracks alone, in the challenger's track keys.

    ``key_of`` is the challenger's key of each track of the model, -1 for none. Both numberings
    follow the ids, so the edges stay sorted.
    """
    key_of = np.where((key_of >= 0) & common[key_of], key_of, -1).astype(np.int32)
    there = key_of >= 0
    listeners = np.zeros(len(common), np.int32)
    artist = np.full(len(common), -1, np.int32)
    listeners[key_of[there]] = model.listeners[there]
    artist[key_of[there]] = model.artist_key[there]
    catalogue = BlendCatalogue.from_tracks(pa.table({"listeners": listeners, "artist_key": artist}))
    last = np.argsort(~common[catalogue.by_listeners], kind="stable")
    return HybridModel(
        _edges(track_edges(model.weights, model.track_of_played), key_of, len(common)),
        _edges(model.content, key_of, len(common)),
        replace(
            catalogue,
            by_listeners=catalogue.by_listeners[last],
            eligible=int(np.count_nonzero(common)),
        ),
        model.hybrid,
    )


def _edges(edges: pa.Table, key_of: NDArray[np.int32], tracks: int) -> EdgeTable:
    """Return the edges between tracks that have a key."""
    source, target = (key_of[edges[name].to_numpy()] for name in ("source", "target"))
    kept = (source >= 0) & (target >= 0)
    weight = edges["weight"].to_numpy()[kept]
    table = pa.table({"source": source[kept], "target": target[kept], "weight": weight})
    return EdgeTable.from_edges(table, tracks)


def _values(
    model: HybridModel, measured: MeasuredModel, question: _Question, rounds: int
) -> dict[str, Values]:
    """Return every gated metric for every listener, as the mean of the rounds.

    Listeners of either half are ranked with what was chosen on the other half.
    """
    totals = {metric_name(metric, k): np.zeros(len(question.split)) for metric, k in GATED}
    everyone = np.arange(len(question.split))
    half = replace(question.split, hashes=measured.rule.hashes(question.user_ids)).half
    for number in range(rounds):
        split = rotated(question.split, number)
        indptr, tracks = split.histories(everyone, split.fold_in)
        targets_at, targets = split.to_find(everyone)
        wanted = sparse.csr_array(
            (np.ones(len(targets), np.int8), targets, targets_at),
            shape=(len(everyone), question.tracks),
        )
        points = _blends(measured, split.fold_in, half)
        found = hits(rank_points(model, indptr, tracks, points, DEPTH)[:, 0], wanted)
        for metric, k in GATED:
            totals[metric_name(metric, k)] += _METRICS[metric](found, sizes(wanted), k)
    return {name: total / rounds for name, total in totals.items()}


def _blends(
    measured: MeasuredModel, lengths: NDArray[np.int64], half: NDArray[np.int8]
) -> BlendPoints:
    """Return w, p and γ for every listener: chosen on the half that they are not in."""
    weight, prior, gamma = (np.zeros((len(lengths), 1)) for _ in range(3))
    for other, choice in enumerate((measured.choices[1], measured.choices[0])):
        ours = half == other
        of = segment_of(lengths[ours], choice.segments)
        weight[ours, 0] = np.array([one.weight for one in choice.segments])[of]
        prior[ours, 0] = np.array([one.popularity for one in choice.segments])[of]
        gamma[ours, 0] = choice.gamma
    return BlendPoints.of(len(lengths), weight, prior, gamma)


def rotated(split: Split, times: int) -> Split:
    """Return the split with the next targets of each listener in front, ``times`` over.

    The drawing order is moved on by as many tracks as are to be found; past its end it begins
    again, so that short histories repeat their questions.
    """
    size = np.diff(split.indptr)
    row = np.repeat(np.arange(len(size)), size)
    place = np.arange(split.indptr[-1]) - split.indptr[row]
    moved = (place + times * targets_of(size)[row]) % np.maximum(size, 1)[row]
    return replace(split, tracks=split.tracks[split.indptr[row] + moved])
