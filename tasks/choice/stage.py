"""Choose the parameters of the learned model for a data set, and keep them while it is the same.

The result is used for as long as the plays are mostly those it was chosen on, and neither the code
of the choice nor what it was asked for has changed (docs/decisions/0045).
"""

import os
import time
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client
from numpy.typing import NDArray
from scipy import sparse

from tasks.choice.change import in_common, sketch_of
from tasks.choice.costs import RATE, Costs
from tasks.choice.dials import DIALS, pinned_in
from tasks.choice.halving import (
    DRAWN,
    LONG_DRAWN,
    LONG_ROUNDS,
    ROUNDS,
    Gain,
    Halving,
    Mix,
    Trial,
    Tried,
    halve,
)
from tasks.choice.parameters import ChoiceParameters
from tasks.choice.space import Space
from tasks.choice.trials import in_groups, trials
from tasks.choice.world import (
    FEWEST,
    METRICS,
    World,
    can_choose,
    make_world,
)
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.mapped import mapped_interactions, write_interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.holdout.stage import rule_of
from tasks.lake.blocks import Block, Progress, run_blocks
from tasks.lake.code import code_digest
from tasks.lake.contracts.stages.choice import BASIS, STAGE, TRIED
from tasks.lake.dataset import Dataset
from tasks.lake.files import publish_file, write_parquet
from tasks.lake.keys import fingerprint
from tasks.lake.plays import kept_plays, played_tracks
from tasks.lake.record import Stage, StageResult

TIMES = 30.0
"""At most the work of 30 trainings of the start: small data is done soon."""


def choice_stage(
    lake: Path,
    client: Client,
    ingested: StageResult,
    held_out: Dataset | None,
    start: CollaborativeParameters,
    parameters: ChoiceParameters,
    before: StageResult | None = None,
    again: bool = False,
    progress: Progress | None = None,
    is_long: bool = False,
) -> StageResult:
    """Choose every dial of the learned model that ``start`` does not pin.

    Pinned is what was set (`pinned_in`). ``before`` is what the current release was learned with:
    it is returned as it is while it may be kept, unless the choice is to be made ``again``. The
    long search moves every dial, looks at more settings and is bounded by its seconds alone.
    """
    start, pinned = start.concrete, () if is_long else pinned_in(start)
    asked = asked_for(start, pinned, held_out, parameters)
    sketch = sketch_of(ingested["interactions"], ingested["users"], ingested["tracks"])
    if before is not None and not again and _is_kept(before, asked, sketch, parameters.changed):
        os.utime(before["tried"].path.parent)  # the lake keeps what was used last
        return before.model_copy(update={"reused": True})
    stage = Stage(
        lake,
        STAGE,
        interactions=ingested["interactions"].digest,
        held_out=held_out.digest if held_out else None,
        asked=asked,
        seconds=parameters.seconds,
        is_long=is_long,
    )
    if result := stage.finished():
        return result
    began = time.perf_counter()
    matrix = plays_matrix(
        ingested["interactions"], played_tracks(ingested), held_out, stage.scratch / "plays"
    )
    found, known = Halving(start, start), 0
    counts: dict[str, Any]
    if parameters.seconds == 0:
        counts = {"chosen": "the start: no time is given"}
    elif not can_choose(matrix):
        few = f"the start: fewer than {FEWEST} listeners have 5 tracks"
        counts = {"chosen": few}
    else:
        found, counts = _searched(
            stage, client, matrix, start, pinned, parameters, progress, is_long
        )
        known = counts["known_listeners"]
    files = {name: stage.folder / f"{name}.parquet" for name in ("tried", "basis")}
    write_parquet(_tried_table(found, start, known), files["tried"])
    basis = [pa.array(sketch), pa.array([asked] * len(sketch), pa.string())]
    write_parquet(pa.table(basis, schema=BASIS.schema), files["basis"])
    return stage.finish(time.perf_counter() - began, counts, **files)


def chosen_parameters(
    result: StageResult, start: CollaborativeParameters
) -> CollaborativeParameters:
    """Return ``start`` with what a choice has chosen in place of `auto`."""
    table = result["tried"].read(["is_chosen", *DIALS])
    row = next(row for row in table.to_pylist() if row.pop("is_chosen"))
    return start.concrete.model_copy(update=row)


def asked_for(
    start: CollaborativeParameters,
    pinned: Collection[str],
    held_out: Dataset | None,
    parameters: ChoiceParameters,
) -> str:
    """Hash what a choice is made for; how long it may take is no part of it."""
    return fingerprint(
        start=start,
        pinned=sorted(pinned),
        rule=rule_of(held_out) if held_out else None,
        parameters=parameters.model_dump(include={"new_listeners", "seed"}),
        code=code_digest(__name__),
    )


def _is_kept(before: StageResult, asked: str, sketch: NDArray[np.int64], changed: float) -> bool:
    basis = before["basis"].read()
    same = basis.num_rows > 0 and basis["asked"][0].as_py() == asked
    return same and in_common(basis["hash"].to_numpy(), sketch) >= 1.0 - changed


def plays_matrix(
    interactions: Dataset, tracks: int, held_out: Dataset | None, folder: Path
) -> sparse.csr_array:
    """Return who played what, listeners × tracks, without those held out; uses a new folder."""
    write_interactions(kept_plays(interactions, held_out), tracks, folder)
    rows = mapped_interactions(folder)
    ones = np.ones(rows.plays, np.int8)
    shape = (rows.users, rows.tracks)
    return sparse.csr_array((ones, rows.user_tracks.astype(np.int32), rows.user_starts), shape)


def _searched(
    stage: Stage,
    client: Client,
    matrix: sparse.csr_array,
    start: CollaborativeParameters,
    pinned: Sequence[str],
    parameters: ChoiceParameters,
    progress: Progress | None,
    is_long: bool,
) -> tuple[Halving, dict[str, Any]]:
    """Search on the cluster; return what was found and the counts of the stage."""
    world = make_world(matrix, parameters.seed)
    file = stage.scratch / "world.npz"
    write_world(world, file)
    interactions = Interactions.of(world.training)
    measured = Rounds(client, stage.scratch, file, parameters.seed, progress)
    costs = Costs(interactions, world.shown.shape[0], parameters.seed)
    mix = Mix(world.is_new, parameters.new_listeners)
    space = Space(interactions, start, pinned, np.random.default_rng(parameters.seed))
    budget = parameters.seconds * RATE
    if not is_long:
        budget = min(budget, TIMES * costs.of([start], 1.0))
    drawn, rounds = (LONG_DRAWN, LONG_ROUNDS) if is_long else (DRAWN, ROUNDS)
    try:
        found = halve(measured, space, costs, mix, budget, drawn, rounds)
    finally:
        client.run(_loaded.cache_clear, on_error="ignore")
    counts: dict[str, Any] = {
        "settings": len({one.setting for one in found.tried}),
        "known_listeners": world.known,
        "new_listeners": len(world.is_new) - world.known,
        "chosen": in_words(found.chosen, start),
    }
    if found.tried:
        counts["gain"] = gain_in_words(found.gain_known, found.gain_new)
    return found, counts


def in_words(chosen: CollaborativeParameters, start: CollaborativeParameters) -> str:
    """Return what a choice has moved."""
    moved = [
        f"{dial}={getattr(chosen, dial):g}"
        for dial in DIALS
        if getattr(chosen, dial) != getattr(start, dial)
    ]
    return " ".join(moved) or "the start"


def gain_in_words(known: Gain, new: Gain) -> str:
    """Return what is gained for both kinds of listeners, with standard errors."""
    return f"{_percent(known)} for known listeners, {_percent(new)} for new ones"


def _percent(gain: Gain) -> str:
    return f"{gain.mean * 100:+.1f} % ± {gain.error * 100:.1f} %"


class Rounds:
    """Measures the settings of a round on the cluster; parts of a killed run are not lost."""

    def __init__(
        self,
        client: Client,
        scratch: Path,
        world: Path,
        seed: int,
        progress: Progress | None = None,
    ) -> None:
        self._client, self._scratch, self._world, self._seed = client, scratch, world, seed
        self._progress = progress

    def __call__(
        self, number: int, settings: Sequence[CollaborativeParameters], share: float
    ) -> list[Trial]:
        """Return what each setting is worth; those that share their Gram entries go together."""
        groups = in_groups(settings)
        order = [at for group in groups for at in group]
        ordered = [settings[at] for at in order]
        cuts = np.cumsum([0, *(len(group) for group in groups)]).tolist()
        blocks = [Block(begin, end) for begin, end in pairwise(cuts)]
        parts = run_blocks(
            self._client, measured_block, blocks, self._scratch / f"round_{number}",
            self._world, ordered, share, self._seed, progress=self._progress,
        )  # fmt: skip
        table = pa.concat_tables([pq.read_table(part) for part in parts])
        by_setting: dict[int, Trial] = {}
        listeners = table.num_rows // len(ordered)
        columns = {name: table[name].to_numpy() for name in (*METRICS, "edges")}
        for place, at in enumerate(order):
            rows = slice(place * listeners, (place + 1) * listeners)
            values = {name: columns[name][rows] for name in METRICS}
            by_setting[at] = Trial(values, float(columns["edges"][rows][0]))
        return [by_setting[at] for at in range(len(settings))]


def measured_block(
    block: Block,
    world: Path,
    settings: Sequence[CollaborativeParameters],
    share: float,
    seed: int,
) -> pa.Table:
    """Measure settings with the same Gram entries: a row for each of them and each listener."""
    loaded, interactions = _loaded(world)
    ours = settings[block.start : block.stop]
    tables = []
    for values, edges in trials(loaded, interactions, ours, share, seed):
        size = np.full(len(values[METRICS[0]]), edges)
        tables.append(pa.table({**values, "edges": size}))
    return pa.concat_tables(tables)


def write_world(world: World, file: Path) -> None:
    """Write a world for the workers, whole or not at all."""
    partial = file.with_name(f".{os.getpid()}.{file.name}")
    arrays: dict[str, Any] = {"known": world.known}
    for name in ("training", "shown", "hidden"):
        matrix = getattr(world, name)
        arrays |= {f"{name}_starts": matrix.indptr, f"{name}_tracks": matrix.indices}
    np.savez(partial, tracks=world.training.shape[1], **arrays)
    publish_file(partial, file)


@lru_cache(maxsize=1)
def _loaded(file: Path) -> tuple[World, Interactions]:
    with np.load(file) as arrays:
        tracks = int(arrays["tracks"])

        def matrix(name: str) -> sparse.csr_array:
            starts, keys = arrays[f"{name}_starts"], arrays[f"{name}_tracks"]
            ones = np.ones(len(keys), np.int8)
            return sparse.csr_array((ones, keys, starts), (len(starts) - 1, tracks))

        world = World(matrix("training"), matrix("shown"), matrix("hidden"), int(arrays["known"]))
    return world, Interactions.of(world.training)


def _tried_table(found: Halving, start: CollaborativeParameters, known: int) -> pa.Table:
    """Return `TRIED`; where nothing was measured, the start alone."""
    tried = found.tried or [Tried(0, 0.0, start, Trial({}, np.nan))]
    last = tried[-1].round
    rows, place = [], dict.fromkeys((one.round for one in tried), 0)
    for one in tried:
        means = {
            f"{name}_{kind}": float(one.trial.values[metric][part].mean())
            for name, metric in zip(("recall", "ndcg"), METRICS, strict=True)
            for kind, part in (("known", slice(known)), ("new", slice(known, None)))
            if one.trial.values
        }
        rows.append(
            {
                "round": one.round,
                "setting": place[one.round],
                "is_chosen": one.round == last and one.setting == found.chosen,
                "share": one.share,
                **{dial: getattr(one.setting, dial) for dial in DIALS},
                "edges": one.trial.edges if one.trial.values else None,
                **means,
            }
        )
        place[one.round] += 1
    return pa.Table.from_pylist(rows, schema=TRIED.schema)
