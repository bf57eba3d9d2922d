"""Tuning on the Dask cluster: settings are trained side by side, one to a worker."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from distributed import Client

from tasks.choice.halving import Mix
from tasks.choice.stage import gain_in_words, plays_matrix
from tasks.choice.trials import measured_here
from tasks.choice.world import can_choose, make_world
from tasks.collaborative.find_edges import weight_matrix
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.evaluation.metrics import Values
from tasks.lake.dataset import Dataset
from tasks.lake.plays import played_tracks
from tasks.lake.record import StageResult
from tasks.tuning.folds import FoldIn, measure
from tasks.tuning.parameters import TuneParameters
from tasks.tuning.search import Point, Tuning, tune, tuning_fold

Drawn = tuple[Dataset, int, Dataset | None, TuneParameters]
"""What decides who is measured: interactions, width of the key space, those held out, and how."""


def tune_neighbours(
    client: Client,
    interactions: Dataset,
    tracks_played: int,
    held_out: Dataset | None,
    start: CollaborativeParameters,
    parameters: TuneParameters,
    progress: Callable[[Point], None],
    turned: Callable[[int, int], None] = lambda _done, _of: None,
) -> Tuning:
    """Choose the parameters of the learned neighbours for a dataset, beginning at ``start``.

    ``progress`` and ``turned`` hear how far the search is (`search.tune`).

    ``held_out`` are listeners that no setting sees, neither to learn from nor to be measured on:
    those that a run or a backtest reports on. Raises InputError with too few listeners.
    """
    drawn = (interactions, tracks_played, held_out, parameters)

    def measured(settings: Sequence[CollaborativeParameters]) -> list[dict[str, Values]]:
        train = partial(trial, drawn=drawn)
        futures = client.map(train, settings, pure=False)
        found: list[dict[str, Values]] = client.gather(futures)
        return found

    # what is wrong with the input is reported here, not by a worker
    _fold(*drawn)
    _fold.cache_clear()
    try:
        return tune(measured, start, parameters=parameters, progress=progress, turned=turned)
    finally:
        client.run(_fold.cache_clear, on_error="ignore")


def judged(
    tuning: Tuning,
    used: CollaborativeParameters,
    ingested: StageResult,
    held_out: Dataset | None,
    parameters: TuneParameters,
) -> Tuning:
    """Compare where a search began and ended with what is ``used``; return it with the better one.

    The listeners and the plays to be found are drawn anew, of known and of new listeners.
    """
    start, used = tuning.curve[0].parameters, used.concrete
    with TemporaryDirectory() as folder:
        matrix = plays_matrix(
            ingested["interactions"], played_tracks(ingested), held_out, Path(folder, "plays")
        )
    if not can_choose(matrix):
        return tuning
    world = make_world(matrix, parameters.seed + 1)
    settings = list(dict.fromkeys([used, start, tuning.chosen]))
    found = measured_here(world, parameters.seed + 1)(0, settings, 1.0)
    values = {setting: one.values for setting, one in zip(settings, found, strict=True)}
    everyone = np.ones(len(world.is_new), dtype=bool)
    mix = Mix(world.is_new, parameters.new_listeners)
    best = max((tuning.chosen, start), key=lambda one: mix.score(values[one], everyone))
    known, new = (
        Mix(world.is_new, share).gain(values[best], values[used], everyone) for share in (0.0, 1.0)
    )
    return replace(tuning, chosen=best, gain=gain_in_words(known, new))


def trial(setting: CollaborativeParameters, drawn: Drawn) -> dict[str, Values]:
    """Train one setting and return what it is worth to every tuning listener."""
    interactions, fold = _fold(*drawn)
    return measure(weight_matrix(interactions, setting), fold)


@lru_cache(maxsize=1)
def _fold(
    interactions: Dataset, tracks: int, held_out: Dataset | None, parameters: TuneParameters
) -> tuple[Interactions, FoldIn]:
    with TemporaryDirectory() as folder:
        matrix = plays_matrix(interactions, tracks, held_out, Path(folder, "plays"))
    fold = tuning_fold(matrix, parameters)
    return Interactions.of(fold.training), fold
