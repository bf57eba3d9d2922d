"""Generate a synthetic pair of input files with the schema, shape and quirks of the real ones."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.lake.contracts.inputs import columns_that_hold
from tasks.sample.catalogue import build_catalogue
from tasks.sample.feedback import write_feedback
from tasks.sample.history import user_ids, write_history
from tasks.sample.listening import gather_audience
from tasks.sample.music_info import make_track_ids, write_music_info
from tasks.sample.ownership import publish_sample
from tasks.sample.timeline import draw_timeline
from warehouse.errors import InputError

TRACKS_FILE = "Music Info.csv"
PLAYS_FILE = "User Listening History.csv"
DATASET_FILE = "dataset.toml"

_DATASET = f"""\
# Written by `crossfade sample --recency`: the two files, and which of their columns are times.
name = "sample"

[tracks]
path = "{TRACKS_FILE}"
id = "track_id"
title = "name"
creator = "artist"
tags = {{ column = "tags", separator = "," }}
released = "released"
preview_url = "spotify_preview_url"
spotify_id = "spotify_id"
numeric = {json.dumps(columns_that_hold("number"))}
categorical = {json.dumps(columns_that_hold("label"))}

[plays]
path = "{PLAYS_FILE}"
user = "user_id"
track = "track_id"
count = "playcount"
at = "played_at"
"""

_THREADS = 2
_SIZES = {"small": (2_000, 4_000), "kaggle": (50_683, 962_037)}


class SampleParameters(BaseModel):
    """How large a sample and which one; equal parameters give equal files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Literal["small", "kaggle"] = "small"
    """``small``: 2,000 tracks and 4,000 listeners; ``kaggle``: 50,683 and 962,037, the size of
    the published files."""

    scale: float = Field(default=1.0, ge=0.01, le=100)
    """Multiplies the listeners, and so the plays."""

    catalogue: float = Field(default=1.0, ge=0.1, le=20)
    """Multiplies the tracks, played and unplayed."""

    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Another seed, another catalogue and other listeners."""

    feedback: bool = False
    """Simulate an experiment too: exposures, events, and a crossfade.toml that names them all."""

    recency: float | None = Field(default=None, ge=0, le=1)
    """Give every play a time and every track a day of release. The share of plays that follow the
    tastes and releases of their time: 0, times say nothing; 1, all they can."""

    @property
    def tracks(self) -> int:
        """Number of catalogue tracks."""
        return round(_SIZES[self.preset][0] * self.catalogue)

    @property
    def users(self) -> int:
        """Number of listeners."""
        return round(_SIZES[self.preset][1] * self.scale)


class SampleSummary(BaseModel):
    """What was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tracks: int
    users: int
    plays: int
    """Rows of the listening history."""
    unplayed_tracks: int
    """About 40 % of the tracks; more where there are fewer plays than it takes."""
    tracks_path: Path
    plays_path: Path
    dataset_path: Path | None = None
    """The dataset TOML that says which columns are times; none without them."""
    exposures: int = 0
    """Exposures, each counted once; 0 without feedback."""


def generate_sample(out: Path, parameters: SampleParameters) -> SampleSummary:
    """Write ``Music Info.csv`` and ``User Listening History.csv`` into the folder ``out``.

    With times there is a ``dataset.toml`` beside them.

    The folder is made if need be. Files of an earlier sample are replaced, each by one rename, once
    all are complete. Raises InputError if the folder cannot be written to, or has files of these
    names that no sample wrote.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".sample-", dir=out) as scratch:
            summary = _write(Path(scratch), out, parameters)
            publish_sample(Path(scratch), out)
    except OSError as error:
        raise InputError(
            f"the sample cannot be written to {out} ({error.strerror or error}); "
            "give --out a folder that can be written to"
        ) from error
    return summary


def _write(scratch: Path, out: Path, parameters: SampleParameters) -> SampleSummary:
    """Write the sample's files into ``scratch``; they go to ``out`` later."""
    catalogue = build_catalogue(parameters.tracks, parameters.seed)
    audience = gather_audience(catalogue, parameters.users, parameters.seed)
    track_ids = make_track_ids(parameters.tracks, parameters.seed)
    timeline = None
    inputs = f'tracks = "{TRACKS_FILE}"\nplays = "{PLAYS_FILE}"\n'
    if parameters.recency is not None:
        timeline = draw_timeline(parameters.tracks, parameters.recency, parameters.seed)
        (scratch / DATASET_FILE).write_text(_DATASET, encoding="utf-8")
        inputs = f'dataset = "{DATASET_FILE}"\n'
    write_music_info(scratch / TRACKS_FILE, catalogue, track_ids, parameters.seed, timeline)
    rows = write_history(scratch / PLAYS_FILE, audience, track_ids, _THREADS, timeline)
    exposures = 0
    if parameters.feedback:
        exposures = write_feedback(
            scratch, user_ids(audience), track_ids, catalogue, parameters.seed, inputs
        )
    return SampleSummary(
        tracks=parameters.tracks,
        users=parameters.users,
        plays=int(rows.sum()),
        unplayed_tracks=int((rows == 0).sum()),
        tracks_path=out / TRACKS_FILE,
        plays_path=out / PLAYS_FILE,
        dataset_path=out / DATASET_FILE if timeline else None,
        exposures=exposures,
    )
