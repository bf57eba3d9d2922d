"""What a dataset is made of: which files, and which of their columns mean what.

The default is the Kaggle pair *Million Song Dataset + Spotify + Last.fm*; any other catalogue is
described by a TOML file (docs/dataset.md).
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from tasks.dataset.columns import ListSpec, StrengthSpec, TagsSpec
from tasks.dataset.dislikes import DislikesSpec
from tasks.dataset.experiments import Experiment, Variant
from tasks.dataset.feedback import EventsSpec, ExposuresSpec, FeedbackSpec
from tasks.dataset.files import Column, FilesSpec, Spec, resolve_paths
from tasks.dataset.mistakes import explain
from tasks.dataset.plays import PlaysSpec
from tasks.dataset.times import TimeSpec
from tasks.dataset.tracks import OF_THE_WAREHOUSE, TracksSpec
from tasks.lake.contracts.inputs import columns_that_hold
from warehouse.errors import InputError
from warehouse.files import resolved

__all__ = [
    "KAGGLE_CATEGORICAL",
    "KAGGLE_NUMERIC",
    "OF_THE_WAREHOUSE",
    "DatasetSpec",
    "Experiments",
    "ListSpec",
    "PlaysSpec",
    "StrengthSpec",
    "TagsSpec",
    "TracksSpec",
]


def _different_names(experiments: tuple[Experiment, ...]) -> tuple[Experiment, ...]:
    names = [experiment.name for experiment in experiments]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two experiments are called `{name}`; rename one")
    return experiments


Experiments = Annotated[
    tuple[Experiment, ...], Field(strict=False), AfterValidator(_different_names)
]

KAGGLE_NUMERIC = columns_that_hold("number")
KAGGLE_CATEGORICAL = columns_that_hold("label")


class DatasetSpec(Spec):
    """A catalogue and the history of those who listened to it."""

    name: Column
    """Identifies the dataset: releases are compared only with releases of the same name."""
    tracks: TracksSpec
    plays: PlaysSpec
    given_by: tuple[str, str] | None = None
    """What the two paths were given by, if not by a TOML, for messages: the flags, say."""
    feedback: FeedbackSpec | None = None
    """What listeners did with their recommendations."""
    experiments: Experiments = ()
    """The experiments that the feedback speaks of."""

    @classmethod
    def kaggle(
        cls,
        tracks: Path,
        plays: Path,
        name: str | None = None,
        given_by: tuple[str, str] = ("--tracks", "--plays"),
    ) -> Self:
        """Describe a pair of files in the Kaggle schema; content columns may be missing."""
        return cls(
            name=name or str(resolved(tracks)),
            tracks=TracksSpec(
                path=(str(tracks),),
                id="track_id",
                title="name",
                creator="artist",
                tags=TagsSpec(column="tags", separator=","),
                preview_url="spotify_preview_url",
                spotify_id="spotify_id",
                numeric=KAGGLE_NUMERIC,
                categorical=KAGGLE_CATEGORICAL,
                absent_ok=True,
            ),
            plays=PlaysSpec(
                path=(str(plays),), user="user_id", track="track_id", count="playcount"
            ),
            given_by=given_by,
        )

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read a dataset TOML; relative paths in it start from its own folder.

        Raises InputError, with one sentence about the first mistake.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"there is no dataset TOML {path}; check the path") from None
        except OSError as error:
            raise InputError(
                f"{path} cannot be read ({error.strerror}); give a dataset TOML"
            ) from None
        except UnicodeDecodeError:
            raise InputError(f"{path} is not UTF-8 text; give a dataset TOML") from None
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{path} is not valid TOML: {error}; see docs/dataset.md") from None
        try:
            described = cls.model_validate({"name": "-", **_with_catalogue(values)})
        except ValidationError as error:
            raise InputError(f"{path}: {explain(error, _PARTS)}") from None
        folder = resolved(path).parent
        tracks, plays = (
            resolve_paths(part, folder) for part in (described.tracks, described.plays)
        )
        name = values.get("name") or str(resolved(Path(tracks.path[0])))
        feedback = described.feedback and described.feedback.from_folder(folder)
        return described.model_copy(
            update={"name": name, "tracks": tracks, "plays": plays, "feedback": feedback}
        )


_OF_THE_HISTORY = ("title", "creator")
"""Fields of the history that describe a catalogue made from it."""


def _with_catalogue(values: dict[str, Any]) -> dict[str, Any]:
    """Return a TOML's values; without a catalogue, with one that is made from the history."""
    plays = values.get("plays")
    if "tracks" in values or not isinstance(plays, dict) or "track" not in plays:
        return values
    shared = {
        field.alias or name
        for name, field in FilesSpec.model_fields.items()
        if name not in ("where",)
    } | {*_OF_THE_HISTORY}
    tracks = {name: value for name, value in plays.items() if name in shared}
    track = plays["track"]
    tracks["id"] = track.get("column", "") if isinstance(track, dict) else track
    return {**values, "tracks": {**tracks, "derived": True}}


_PARTS: dict[str, type[BaseModel]] = {
    "": DatasetSpec,
    "tracks": TracksSpec,
    "plays": PlaysSpec,
    "tracks.tags": TagsSpec,
    "tracks.creator": ListSpec,
    "tracks.genre": ListSpec,
    "plays.track": ListSpec,
    "plays.creator": ListSpec,
    "plays.strength": StrengthSpec,
    "plays.at": TimeSpec,
    "plays.dislikes": DislikesSpec,
    "feedback": FeedbackSpec,
    "feedback.exposures": ExposuresSpec,
    "feedback.events": EventsSpec,
    "experiments": Experiment,
    "experiments.variants": Variant,
}
