"""The catalogue as a dataset TOML describes it."""

from typing import Any, Literal, Self

import pyarrow as pa
from pydantic import Field, model_validator

from tasks.dataset.columns import ListSpec, TagsSpec
from tasks.dataset.files import Column, FilesSpec
from tasks.dataset.filters import RowFilter
from tasks.lake.contracts.stages.ingest import TRACKS, tracks_schema

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

_TAKEN = frozenset(TRACKS.schema.names) - {"genre", "year"} | {*OF_THE_WAREHOUSE}


def feature_name(column: str, taken: frozenset[str] = _TAKEN) -> str:
    """Return the name of a feature column in the lake: its own, unless the tables use it."""
    return f"feature_{column}" if column.lower() in taken else column  # SQL knows no case


class TracksSpec(FilesSpec):
    """The catalogue: one row per track. Only `path` and `id` are required."""

    id: Column
    """Column with the track id: a string, kept byte for byte."""
    title: Column | None = None
    """Column with the name to show."""
    creator: Column | ListSpec | tuple[Column, ...] | None = None
    """Column with the artist (author, director, brand, …), a list in a column, or columns."""
    tags: TagsSpec | None = None
    """Column with tags and the separator between them."""
    genre: Column | ListSpec | None = None
    """Column with the genre; of a list the first, and all of them are tags too."""
    year: Column | None = None
    """Column with the year of release: a number, a date or a timestamp."""
    released: Column | None = None
    """Column with the day of release: a date, or the year or month in which it lies."""
    preview_url: Column | None = None
    """Column with a link to a preview."""
    cover_url: Column | None = None
    """Column with a link to a picture of the track or its album."""
    spotify_id: Column | None = None
    """Column with the Spotify id."""
    numeric: tuple[Column, ...] = ()
    """Columns with numbers that describe the content; one named `year` is the release year."""
    categorical: tuple[Column, ...] = ()
    """Columns with labels that describe the content; one named `genre` is the genre."""
    merge: bool = False
    """Whether several rows of one id are one track; otherwise the first is kept."""
    duplicates: tuple[Literal["title", "creator"], ...] = ()
    """Tracks that agree in these are one: the one with most plays, with the plays of all."""
    absent_ok: bool = False
    """Count content columns that the file lacks as empty instead of as a mistake."""
    derived: bool = False
    """Whether the catalogue is what the history plays; not a field of the TOML."""
    sources: tuple[tuple[str, str], ...] = Field(default=())
    """Features under another name in the lake, and their columns; not a field of the TOML."""

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        lists = (*FEATURES, "duplicates", "creator")
        values = {
            key: tuple(value) if key in lists and isinstance(value, list) else value
            for key, value in values.items()
        }
        renamed = dict(values.get("sources", ()))
        taken = _TAKEN | {name for name in ("released", "cover_url") if values.get(name)}
        for field in FEATURES:
            given = values.get(field)
            if isinstance(given, tuple) and all(isinstance(name, str) for name in given):
                names = tuple(feature_name(name, taken) for name in given)
                renamed.update(
                    (name, column)
                    for name, column in zip(names, given, strict=True)
                    if name != column
                )
                values[field] = names
        return {**values, "sources": tuple(sorted(renamed.items()))} if renamed else values

    @model_validator(mode="after")
    def _features_have_their_own_names(self) -> Self:
        for field in FEATURES:
            names = getattr(self, field)
            for name in names:
                if names.count(name) > 1 or (name in self.numeric and name in self.categorical):
                    column = self.source(name)
                    raise ValueError(
                        f"column `{column}` is listed twice as a feature; list it once"
                    )
        if "year" in self.categorical:
            raise ValueError("`year` is a number; list it under `tracks.numeric`")
        if "genre" in self.numeric:
            raise ValueError("`genre` is a label; list it under `tracks.categorical`")
        if self.year and "year" in self.numeric and self.year != "year":
            raise ValueError(
                "`tracks.year` and `tracks.numeric` both say which column the year is; keep one"
            )
        if self.genre and "genre" in self.categorical and self.genre != "genre":
            raise ValueError(
                "`tracks.genre` and `tracks.categorical` both say which column the genre is; keep "
                "one"
            )
        if "creator" in self.duplicates and self.creator is None:
            raise ValueError("`tracks.duplicates` has `creator`, but `tracks.creator` is missing")
        if "title" in self.duplicates and self.title is None:
            raise ValueError("`tracks.duplicates` has `title`, but `tracks.title` is missing")
        return self

    @property
    def lake_schema(self) -> pa.Schema:
        """The schema of the lake's table of these tracks."""
        return tracks_schema(
            self.numeric,
            self.categorical,
            released=self.released is not None,
            covers=self.cover_url is not None,
        )

    def source(self, feature: str) -> str:
        """Return the column of a feature."""
        return dict(self.sources).get(feature, feature)

    @property
    def creators(self) -> tuple[str, ...]:
        """The columns with creators."""
        if isinstance(self.creator, tuple):
            return self.creator
        return () if self.creator is None else (_column(self.creator),)

    @property
    def year_column(self) -> str | None:
        """The column with the year."""
        return self.year or ("year" if "year" in self.numeric else None)

    @property
    def genre_column(self) -> str | None:
        """The column with the genre."""
        if self.genre is not None:
            return _column(self.genre)
        return "genre" if "genre" in self.categorical else None

    def columns(self) -> dict[str, str]:
        """Return which column each TOML field names, the id first: field → column."""
        named = {
            "tracks.id": self.id,
            "tracks.title": self.title,
            "tracks.genre": None if self.genre is None else _column(self.genre),
            "tracks.year": self.year,
            "tracks.released": self.released,
            "tracks.preview_url": self.preview_url,
            "tracks.cover_url": self.cover_url,
            "tracks.spotify_id": self.spotify_id,
            "tracks.tags.column": self.tags.column if self.tags else None,
        }
        for position, column in enumerate(self.creators):
            field = "tracks.creator"
            named[f"{field}[{position}]" if isinstance(self.creator, tuple) else field] = column
        found = {field: column for field, column in named.items() if column is not None}
        for field in FEATURES:
            for position, name in enumerate(getattr(self, field)):
                found[f"tracks.{field}[{position}]"] = self.source(name)
        for name in RowFilter.parse(self.where).columns if self.where else ():
            found.setdefault(f"tracks.where ({name})", name)
        return found


def _column(given: str | ListSpec) -> str:
    return given if isinstance(given, str) else given.column
