"""Small random measured models, and plays to ask them about."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.blend.parameters import DEFAULT_SEGMENTS, HybridParameters
from tasks.evaluation.choice import Choice
from tasks.holdout.rule import HoldoutRule
from tasks.release.measured_model import MeasuredModel
from tasks.release.rerank import HeldOutPlays
from tests.tasks.blend.worlds import random_edges, random_tracks

TRACKS, LISTENERS = 60, 80
RULE = HoldoutRule(seed=0, share=0.5)
PARAMETERS = HybridParameters(popular_candidates=5)


def track_ids(tracks: int) -> list[str]:
    """Return ids in byte order, with room between them."""
    return [f"t{2 * x + 1:04}" for x in range(tracks)]


def random_measured(seed: int, tracks: int = TRACKS) -> MeasuredModel:
    """Return a model with ties, unplayed tracks, and another blend for each half."""
    rng = np.random.default_rng(seed)
    catalogue = random_tracks(rng, tracks)
    listeners: NDArray[np.int32] = catalogue["listeners"].to_numpy()
    everything = np.arange(tracks, dtype=np.int32)
    played = everything[listeners > 0]
    of_played = np.arange(len(played), dtype=np.int32)
    choices = [
        Choice(tuple(s.model_copy(update={"weight": w}) for s in DEFAULT_SEGMENTS), w / 2)
        for w in (0.3, 0.6, 0.9)
    ]
    return MeasuredModel(
        pa.array(track_ids(tracks)),
        listeners,
        catalogue["artist_key"].fill_null(-1).to_numpy().astype(np.int32),
        random_edges(rng, of_played, of_played, -4),
        random_edges(rng, everything, everything, 1),
        played,
        (choices[0], choices[1], choices[2]),
        PARAMETERS.model_copy(update={"segments": choices[2].segments, "gamma": 0.45}),
        RULE,
    )


def random_plays(seed: int, tracks: int = TRACKS) -> HeldOutPlays:
    """Return what listeners played, some of them a single track."""
    rng = np.random.default_rng(seed)
    played = rng.random((LISTENERS, tracks)) < rng.uniform(0.02, 0.4, (LISTENERS, 1))
    played[:, 0] |= ~played.any(axis=1)
    listener, track = np.nonzero(played)
    ids = pa.array([f"listener {x:04}" for x in range(LISTENERS)])
    return HeldOutPlays(ids, listener, track.astype(np.int32))


def with_new_tracks(
    model: MeasuredModel, new: Collection[str], seed: int
) -> tuple[MeasuredModel, NDArray[np.int32]]:
    """Add well-connected, much-played tracks to the catalogue; return each old track's key too."""
    rng = np.random.default_rng(seed)
    old = model.track_ids.to_pylist()
    ids = sorted([*old, *new])
    key_of = np.array([ids.index(one) for one in old], np.int32)
    listeners = np.full(len(ids), 1_000, np.int32)
    listeners[key_of] = model.listeners
    artist = np.zeros(len(ids), np.int32)
    artist[key_of] = model.artist_key
    played = np.flatnonzero(listeners > 0).astype(np.int32)
    place = np.full(len(ids), -1, np.int32)
    place[played] = np.arange(len(played))
    weights = _with_edges(model.weights, place[key_of[model.track_of_played]], len(played), rng)
    content = _with_edges(model.content, key_of, len(ids), rng)
    grown = replace(
        model,
        track_ids=pa.array(ids),
        listeners=listeners,
        artist_key=artist,
        weights=weights,
        content=content,
        track_of_played=played,
    )
    return grown, key_of


def _with_edges(
    edges: pa.Table, key_of: NDArray[np.int32], tracks: int, rng: np.random.Generator
) -> pa.Table:
    """Move edges to new keys, and connect every new track to all others by large weights."""
    frame = edges.to_pandas()
    for name in ("source", "target"):
        frame[name] = key_of[frame[name].to_numpy()]
    new = np.setdiff1d(np.arange(tracks), key_of)
    rows = [(i, j, int(rng.integers(50, 90))) for i in range(tracks) for j in new if i != j]
    rows += [(j, i, w) for i, j, w in rows if i not in new]
    frame.loc[len(frame)] = rows[0]
    both = [*frame.iloc[:-1].itertuples(index=False, name=None), *rows]
    columns = zip(*sorted(both), strict=True)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, edges.schema, strict=True)],
        schema=edges.schema,
    )
