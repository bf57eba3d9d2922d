"""What a challenger is compared with: the measured models of the current release and the anchor."""

from dataclasses import dataclass

from tasks.holdout.rule import HoldoutRule
from tasks.lake.record import StageResult
from tasks.release.candidate import current_of
from tasks.release.measured import FORMAT
from tasks.release.measured_model import find_measured
from warehouse.releases.home import Home
from warehouse.releases.manifest import KeptModel, Role


@dataclass(frozen=True)
class RivalModel:
    """The measured model of an earlier release."""

    role: Role
    kept: KeptModel
    measured: StageResult


@dataclass(frozen=True)
class Rivals:
    """The models there are to compare with, and what is said of those that are not there."""

    models: tuple[RivalModel, ...]
    anchor: KeptModel | None
    """The anchor of later challengers, unless this one is better; None: this one is."""
    notes: tuple[str, ...] = ()


def find_rivals(home: Home, dataset: str) -> Rivals:
    """Return the current release of a dataset and its anchor, as far as their models are there.

    Where the anchor's is gone, the current release is the anchor from now on.
    """
    current = current_of(home, dataset)
    if current is None:
        return Rivals((), None, ("there is no current release of this dataset to compare with",))
    manifest, notes = current.manifest, []
    models: list[RivalModel] = []
    if manifest.measured is None:
        notes.append(
            f"the current release {manifest.release_id} kept no measured model (nothing was "
            "measured, or an older version published it): this release is not compared with it"
        )
    elif isinstance(found := _found(home, "current release", manifest.measured), str):
        notes.append(found)
    else:
        models.append(found)
    anchor = models[0].kept if models else None
    if manifest.anchor is not None and manifest.anchor != manifest.measured:
        found = _found(home, "anchor", manifest.anchor)
        if isinstance(found, str):
            notes.append(found + (f"; the anchor is now {anchor.release_id}" if anchor else ""))
        else:
            models.append(found)
            anchor = found.kept
    return Rivals(tuple(models), anchor, tuple(notes))


def rule_of_current(home: Home, dataset: str) -> HoldoutRule | None:
    """Return who was held out of the current release of this dataset, if that is known."""
    current = current_of(home, dataset)
    kept = current.manifest.measured if current else None
    if kept is None or kept.format != FORMAT:
        return None
    return HoldoutRule(seed=kept.seed, share=kept.share)


def _found(home: Home, role: Role, kept: KeptModel) -> RivalModel | str:
    """Return a model, or why there is none to compare with."""
    if kept.format != FORMAT:
        return (
            f"the measured model of the {role} {kept.release_id} has form {kept.format}, this "
            f"version makes form {FORMAT}: this release is not compared with it"
        )
    measured = find_measured(home.lake, kept)
    if measured is None:
        return (
            f"the measured model of the {role} {kept.release_id} is missing from the lake or "
            "damaged: this release is not compared with it"
        )
    return RivalModel(role, kept, measured)
