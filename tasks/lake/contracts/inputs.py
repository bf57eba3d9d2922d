"""The contract of the input files in the Kaggle schema: their columns and what these may hold.

A dataset TOML gives other names to the columns; the rules for a value follow its place there, and
for the features below their name.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
"""How a number is written, as a regular expression that Arrow, DuckDB and Python share."""

NULLS = ("na", "n/a", "nan", "<na>", "none", "null", r"\n", "[]", "{}", "(no genres listed)")
"""Values (in lower case) that are missing in optional columns and tags."""

NUMBER_NULLS = (*NULLS, "-", "--", "?")
"""The same in columns of numbers."""

ID_NULLS = ("NA", "N/A", "nan", "NaN", "<NA>", "None", "null", "NULL", r"\N", "[]")
"""Spellings that are missing as an id."""

Holds = Literal["id", "text", "tags", "number", "label", "count"]


@dataclass(frozen=True)
class InputColumn:
    """A column of an input file. Of a number or label the range decides what is believed: values
    outside are placeholders, and count as missing."""

    name: str
    holds: Holds
    meaning: str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    """Values must be larger than this."""
    zero_is_unknown: bool = False

    @property
    def required(self) -> bool:
        """Tell whether the file must have the column."""
        return self.holds in ("id", "count")

    def stands_for_unknown(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which values are placeholders; NaN is none."""
        unknown = np.zeros(values.shape, np.bool_)
        if self.zero_is_unknown:
            unknown |= values == 0
        if self.above is not None:
            unknown |= values <= self.above
        if self.low is not None:
            unknown |= values < self.low
        if self.high is not None:
            unknown |= values > self.high
        return unknown


TRACKS_FILE = (
    InputColumn("track_id", "id", "the track's id, unique"),
    InputColumn("name", "text", "name to show"),
    InputColumn("artist", "text", "artist"),
    InputColumn("spotify_preview_url", "text", "link to a preview, passed through"),
    InputColumn("spotify_id", "text", "id at Spotify, passed through"),
    InputColumn("tags", "tags", "tags, separated by commas"),
    InputColumn("genre", "label", "genre"),
    # 1900 is what the files write for unknown.
    InputColumn("year", "number", "year of release", low=1901, high=2100),
    InputColumn("duration_ms", "number", "length in milliseconds", zero_is_unknown=True),
    InputColumn("danceability", "number", "how well one can dance to it", zero_is_unknown=True),
    InputColumn("energy", "number", "how intense it is"),
    InputColumn("key", "label", "pitch class, 0 is C"),
    # −60 dB is the value of a track that was not analysed.
    InputColumn("loudness", "number", "loudness in dB", above=-60.0),
    InputColumn("mode", "label", "1 is major, 0 minor"),
    InputColumn("speechiness", "number", "how much is spoken"),
    InputColumn("acousticness", "number", "how acoustic it is"),
    InputColumn("instrumentalness", "number", "how little is sung"),
    InputColumn("liveness", "number", "how much audience there is"),
    InputColumn("valence", "number", "how cheerful it is"),
    InputColumn("tempo", "number", "beats per minute", zero_is_unknown=True),
    InputColumn("time_signature", "label", "beats per bar", zero_is_unknown=True),
)
"""`Music Info.csv`: one row per track."""

PLAYS_FILE = (
    InputColumn("track_id", "id", "the track's id, as in the catalogue"),
    InputColumn("user_id", "id", "the listener's id"),
    InputColumn("playcount", "count", "plays, rounded to a whole number, at least 1", low=0),
)
"""`User Listening History.csv`: one row per listener and track."""

INPUT_FEATURES = {
    column.name: column for column in TRACKS_FILE if column.holds in ("number", "label")
}
"""The features whose values are judged by their name, in any catalogue."""


def columns_that_hold(kind: Holds) -> tuple[str, ...]:
    """Return the names of the catalogue's columns of a kind, in the order of the file."""
    return tuple(column.name for column in TRACKS_FILE if column.holds == kind)
