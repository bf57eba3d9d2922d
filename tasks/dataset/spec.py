"""What a dataset is made of: which files, and which of their columns mean what.

The default is the Kaggle pair *Million Song Dataset + Spotify + Last.fm*; any other catalogue is
described by a TOML file (docs/dataset.md).
"""

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    model_validator,
)

from tasks.dataset.experiments import Experiment, Variant
from tasks.dataset.feedback import EventsSpec, ExposuresSpec, FeedbackSpec
from tasks.dataset.files import Column, FilesSpec, Spec, resolve_paths
from tasks.lake.contracts.inputs import columns_that_hold
from tasks.lake.contracts.stages.ingest import TRACKS
from warehouse.errors import InputError
from warehouse.files import resolved


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


class TagsSpec(Spec):
    """A column that holds several tags in one field."""

    column: Column
    """Name of the column."""
    separator: Column = ","
    """Text between two tags; spaces around a tag are dropped."""


class TracksSpec(FilesSpec):
    """The catalogue: one row per track. Only `path` and `id` are required."""

    id: Column
    """Column with the track id: a string, kept byte for byte."""
    title: Column | None = None
    """Column with the name to show."""
    creator: Column | None = None
    """Column with the artist (author, director, brand, …)."""
    tags: TagsSpec | None = None
    """Column with tags and the separator between them."""
    preview_url: Column | None = None
    """Column with a link to a preview."""
    spotify_id: Column | None = None
    """Column with the Spotify id."""
    numeric: tuple[Column, ...] = ()
    """Columns with numbers that describe the content; one named `year` is the release year."""
    categorical: tuple[Column, ...] = ()
    """Columns with labels that describe the content; one named `genre` is the genre."""
    absent_ok: bool = False
    """Count content columns that the file lacks as empty instead of as a mistake."""

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, values: Any) -> Any:
        if isinstance(values, dict):
            values = {
                key: tuple(value) if key in FEATURES and isinstance(value, list) else value
                for key, value in values.items()
            }
        return values

    @model_validator(mode="after")
    def _features_have_their_own_names(self) -> Self:
        taken = set(TRACKS.schema.names) - {"genre", "year"} | set(OF_THE_WAREHOUSE)
        for field in FEATURES:
            names = getattr(self, field)
            for name in names:
                if name.lower() in taken:  # SQL does not tell cases apart
                    raise ValueError(
                        f"`tracks.{field}` names column `{name}`, a name the catalogue table "
                        "uses itself; rename the column in the file"
                    )
                if names.count(name) > 1 or (name in self.numeric and name in self.categorical):
                    raise ValueError(f"column `{name}` is listed twice as a feature; list it once")
        if "year" in self.categorical:
            raise ValueError("`year` is a number; list it under `tracks.numeric`")
        if "genre" in self.numeric:
            raise ValueError("`genre` is a label; list it under `tracks.categorical`")
        return self

    def columns(self) -> dict[str, str]:
        """Return which column each TOML field names, the id first: field → column."""
        named = {
            "tracks.id": self.id,
            "tracks.title": self.title,
            "tracks.creator": self.creator,
            "tracks.preview_url": self.preview_url,
            "tracks.spotify_id": self.spotify_id,
            "tracks.tags.column": self.tags.column if self.tags else None,
        }
        found = {field: column for field, column in named.items() if column is not None}
        for field in FEATURES:
            for position, column in enumerate(getattr(self, field)):
                found[f"tracks.{field}[{position}]"] = column
        return found


class PlaysSpec(FilesSpec):
    """The listening history: one row per play, or per listener and track with a count."""

    user: Column
    """Column with the listener's id: a string, kept byte for byte."""
    track: Column
    """Column with the track id, as in the catalogue."""
    count: Column | None = None
    """Column with a whole number of plays; without it every row is one play."""

    @model_validator(mode="after")
    def _listeners_are_not_tracks(self) -> Self:
        if self.user == self.track:
            raise ValueError(
                f"`plays.user` and `plays.track` both name column `{self.user}`; name the column "
                "with the listener's id in `plays.user`"
            )
        return self

    def columns(self) -> dict[str, str]:
        """Return which column each TOML field names: field → column."""
        named = {"plays.user": self.user, "plays.track": self.track, "plays.count": self.count}
        return {field: column for field, column in named.items() if column is not None}


FEATURES = ("numeric", "categorical")

OF_THE_WAREHOUSE = (
    "id",
    "is_cold",
    "popularity",
    "listener_rank",
    "search_name",
    "search_artist",
    "search_pairs",
    "search_pairs_2",
)
"""Columns that a release's table of tracks has beside the catalogue's own."""


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
            described = cls.model_validate({"name": "-", **values})
        except ValidationError as error:
            raise InputError(f"{path}: {_explain(error)}") from None
        folder = path.resolve().parent
        tracks, plays = (
            resolve_paths(part, folder) for part in (described.tracks, described.plays)
        )
        name = values.get("name") or str(resolved(Path(tracks.path[0])))
        feedback = described.feedback and described.feedback.from_folder(folder)
        return described.model_copy(
            update={"name": name, "tracks": tracks, "plays": plays, "feedback": feedback}
        )


_PARTS: dict[str, type[BaseModel]] = {
    "": DatasetSpec,
    "tracks": TracksSpec,
    "plays": PlaysSpec,
    "tracks.tags": TagsSpec,
    "feedback": FeedbackSpec,
    "feedback.exposures": ExposuresSpec,
    "feedback.events": EventsSpec,
    "experiments": Experiment,
    "experiments.variants": Variant,
}


def _explain(error: ValidationError) -> str:
    """Say in one sentence what the first mistake of a TOML is and how to mend it."""
    errors = error.errors()
    # A misspelt field is the cause, the missing one its effect.
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    place = [str(part) for part in first["loc"] if isinstance(part, str)]
    field, parent, kind = ".".join(place), ".".join(place[:-1]), first["type"]
    if kind == "extra_forbidden":
        known = [name for name in _PARTS[parent].model_fields if name not in _NOT_IN_TOML]
        close = difflib.get_close_matches(place[-1], known, n=1)
        hint = f"write `{close[0]}`" if close else f"it may be one of {', '.join(known)}"
        return f"there is no field `{field}`; {hint}"
    if kind == "missing":
        if field in ("tracks", "plays"):
            return f"the table [{field}] is missing; add it with `path` and the id columns"
        return f"`{field}` is missing; add it (docs/dataset.md lists the fields)"
    if kind == "value_error":
        return str(first["ctx"]["error"])
    if kind in ("model_type", "model_attributes_type"):
        if field == "tracks.tags":
            return '`tracks.tags` must be a table; write { column = "…", separator = "," }'
        return f"`{field}` must be a table; write [{field}] on a line of its own"
    if place[0] == "experiments":
        return f"`{field}` is wrong ({first['msg'][0].lower() + first['msg'][1:]}); mend it"
    return f"`{field}` {_MUST_BE.get(place[-1], 'must be a text that is not empty, in quotes')}"


_NOT_IN_TOML = ("absent_ok", "given_by")
_NAMES = 'must be a list of column names; write for example {} = ["{}"]'
_MUST_BE = {
    "path": 'must be a file, a glob or a list of these; write for example path = "file.csv"',
    "delimiter": "must be one character; write for example delimiter = ';'",
    "numeric": _NAMES.format("numeric", "year"),
    "categorical": _NAMES.format("categorical", "genre"),
    "absent_ok": "must be true or false",
}
