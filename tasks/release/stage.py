"""The stages that make a release: gate, build and publish."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.evaluation.parameters import EvaluationParameters
from tasks.lake.dataset import Dataset
from tasks.lake.plays import plays_of
from tasks.lake.record import StageResult
from tasks.release.build import MEASURED_LISTENERS, build_stage
from tasks.release.candidate import current_of
from tasks.release.gate import Before, GateVerdict, Rival, gate, is_better
from tasks.release.measured_model import MeasuredModel, read_measured
from tasks.release.rerank import HeldOutPlays, rerank
from tasks.release.rivals import find_rivals, rule_of_current
from warehouse.releases.home import Home
from warehouse.releases.manifest import Override
from warehouse.releases.pointer import make_current
from warehouse.releases.release import Release

__all__ = ["build_stage", "gate_stage", "publish_stage", "refuse", "rule_of_current"]


def gate_stage(
    home: Home,
    dataset: str,
    ingested: StageResult,
    held_out: Dataset,
    measured: StageResult,
    evaluation: StageResult,
    parameters: EvaluationParameters,
) -> GateVerdict:
    """Judge a challenger by its measured model beside those of the current release and the anchor.

    Today's plays are put to all of them. The anchor stays until a challenger is better than it
    in every metric, beyond chance.
    """
    found = find_rivals(home, dataset)
    challenger = read_measured(measured)
    plays = held_out_plays(ingested, held_out, challenger)
    rivals = [
        Rival(
            one.role,
            one.kept.release_id,
            rerank(challenger, read_measured(one.measured), plays),
        )
        for one in found.models
    ]
    own, listeners = (evaluation[name].read() for name in ("evaluation", "listeners"))
    verdict = gate(rivals, own, listeners, _before(home, dataset), parameters)
    anchor, notes = found.anchor, [*found.notes, *verdict.notes]
    against = [one for one in verdict.comparisons if anchor and one.release_id == anchor.release_id]
    if is_better(against):
        anchor = None
        notes.append("this release is better than the anchor in every metric and takes its place")
    return verdict.model_copy(update={"notes": tuple(notes), "anchor": anchor})


def _before(home: Home, dataset: str) -> Before | None:
    """Return what the current release of the dataset reached on its day, if it was measured."""
    current = current_of(home, dataset)
    file = current.folder / MEASURED_LISTENERS if current else None
    if current is None or file is None or not file.is_file():
        return None
    return Before(current.manifest.release_id, pq.read_table(file))


def held_out_plays(
    ingested: StageResult, held_out: Dataset, challenger: MeasuredModel
) -> HeldOutPlays:
    """Read what the held-out listeners have played until today."""
    keys: NDArray[np.int32] = held_out.read()["user_key"].to_numpy()
    user, played = plays_of(ingested["interactions"], keys)
    ids = ingested["users"].read(["user_id"])["user_id"].combine_chunks()
    return HeldOutPlays(
        ids.take(pa.array(keys)), np.searchsorted(keys, user), challenger.track_of_played[played]
    )


def publish_stage(
    home: Home, release: Release, refused_because: str = "", override: Override | None = None
) -> Release:
    """Make a built release current, by one atomic rename.

    One that the gate refused keeps why, and who published it nevertheless. It is the anchor of
    what comes after it: the loss was accepted.
    """
    published = release.noted(
        status="forced" if override else "published",
        reason=refused_because,
        override=override,
        anchor=release.manifest.measured if override else release.manifest.anchor,
    )
    with home.locked("pointer", "publish"):
        make_current(home, published)
    return replace(published, is_current=True)


def refuse(release: Release, reason: str) -> None:
    """Keep a built release as a candidate that is never current, with the reason."""
    release.noted(status="refused", reason=reason)
