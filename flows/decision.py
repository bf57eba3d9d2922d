"""What the last run decided, and everything it was decided from.

A run writes a `Decision` when it ends. The next one at a terminal reads it before Prefect is
imported (flows/unchanged.py). As long as everything recorded here is the same, a full run would
open the same results of stages and arrive at the same release, since a stage's key hashes what
decides its result. A decision that is missing, damaged or about anything else only costs time: a
full run follows.
"""

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from flows.settings import Settings
from tasks.choice.dials import pinned_in
from tasks.collaborative.models.registry import model_origin
from tasks.collaborative.parameters import AUTO, CollaborativeParameters
from tasks.feedback.stage import Feedback
from tasks.ingest.inputs import find_inputs, with_derived_catalogue
from tasks.lake.code import OURS, code_digest, tree_digest
from tasks.lake.dataset import Dataset
from tasks.lake.files import publish_file
from tasks.lake.keys import fingerprint
from tasks.lake.record import StageResult
from warehouse.releases.home import Home

FILE = Path("cache") / "decision.json"
"""Within the home: deleting it costs the next run some seconds, no more."""


class FeedbackKeys(BaseModel):
    """The feedback that a run read: keys of its results by file, and what it had to skip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exposures: tuple[str, ...]
    events: tuple[str, ...]
    broken: dict[str, str]

    @classmethod
    def of(cls, read: Feedback) -> "FeedbackKeys":
        """Describe what was read."""
        return cls(
            exposures=tuple(result.key for result in read.exposures),
            events=tuple(result.key for result in read.events),
            broken=read.broken,
        )


class Decision(BaseModel):
    """The end of a run, and what led to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: str
    """Hash of the dataset's description, the parameters, the model's package and all code."""
    sizes: dict[str, int]
    """Bytes of the input files by name; another size needs no hash to be noticed."""
    ingest: str
    """Key of the ingest stage: it hashes the content of the files."""
    feedback: FeedbackKeys | None
    current: str
    """The release that was current when the run had ended: it decides who is held out."""
    held_out: int | None
    stages: dict[str, str]
    """Every result that the run shows, in its order: name → folder in the lake."""
    others: tuple[str, ...]
    """Folders of the results that it uses and does not show."""
    fingerprint: str
    """Hash of the content of the release that the run arrived at."""


def parameters_of(
    settings: Settings, chosen: CollaborativeParameters | None = None
) -> dict[str, Any]:
    """Return what decides the content of a release, as JSON-like values.

    ``chosen``: what the run chose, to be shown under the name that was asked for.
    """
    names = ("ingest", "collaborative", "content", "hybrid", "evaluation", "measurement")
    values = {name: getattr(settings, name).model_dump(mode="json") for name in names}
    if chosen is not None:
        asked = settings.collaborative.model
        values["collaborative"] = chosen.model_dump(mode="json") | {"model": asked}
    return values


def choice_of(settings: Settings) -> dict[str, Any] | None:
    """Return what decides a choice of parameters beside the data; None: none is made."""
    if settings.collaborative.model != AUTO:
        return None
    of = settings.tune.model_dump(include={"changed", "new_listeners", "seed"})
    return {**of, "pinned": pinned_in(settings.collaborative)}


def asked_of(settings: Settings) -> str:
    """Hash everything but data that decides what a run does."""
    return fingerprint(
        dataset=settings.spec(),
        parameters=parameters_of(settings),
        model=model_origin(settings.collaborative.concrete.model),
        choice=choice_of(settings),
        code=[tree_digest(package) for package in OURS],
    )


LEARNING = (
    "tasks.ingest.stage",
    "tasks.choice.stage",
    "tasks.collaborative.stage",
    "tasks.content.stage",
    "tasks.evaluation.stage",
    "tasks.blend.stage",
)
"""Modules whose code decides what a run learns, and how lists are made of it."""


def recipe_of(settings: Settings) -> dict[str, str]:
    """Hash each thing beside the data that decides what is learned, by its name in a sentence.

    Feedback is no part of it, as a refresh does not read any; nor is the folder of the input, nor
    how far it may drift.
    """
    spec = settings.spec()
    parameters = parameters_of(settings)
    parameters["ingest"] = settings.ingest.model_dump(mode="json", exclude={"drift"})
    del parameters["measurement"]
    parameters["collaborative"] |= {"choice": choice_of(settings)}
    return {
        "the code": fingerprint(code=[code_digest(module) for module in LEARNING]),
        "the description of the dataset": fingerprint(
            tracks=spec.tracks.model_dump(exclude={"path"}),
            plays=spec.plays.model_dump(exclude={"path"}),
        ),
        "the experiments": fingerprint(experiments=list(spec.experiments)),
        "the model's package": fingerprint(
            model=model_origin(settings.collaborative.concrete.model)
        ),
        **{f"`{name}` of the settings": fingerprint(of=parameters[name]) for name in parameters},
    }


def sizes_of(settings: Settings) -> dict[str, int]:
    """Return the bytes of every input file by name."""
    inputs = find_inputs(with_derived_catalogue(settings.spec()))
    return {file.name: file.path.stat().st_size for file in (*inputs.tracks, *inputs.plays)}


def folder_of(result: StageResult) -> str:
    """Return a result's folder in the lake."""
    return f"{result.stage}/{result.key}"


def folder_of_dataset(dataset: Dataset) -> str:
    """Return the folder in the lake of the result that a dataset belongs to."""
    return "/".join(dataset.path.parts[-3:-1])


def read_decision(home: Home) -> Decision | None:
    """Return what the last run in the home decided, or None if that is not known."""
    try:
        return Decision.model_validate_json((home.path / FILE).read_text())
    except (OSError, ValueError):
        return None


def write_decision(home: Home, decision: Decision) -> None:
    """Keep a decision for the next run; for a run that holds the lock of the home."""
    file = home.path / FILE
    file.parent.mkdir(mode=0o700, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_text(decision.model_dump_json())
    publish_file(partial, file)
