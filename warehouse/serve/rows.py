"""The rows of answers, for the OpenAPI document; columns are those of docs/warehouse.md."""

from datetime import date, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

R = TypeVar("R")


class Answer(BaseModel, Generic[R]):
    """Rows of one release."""

    release_id: str
    """The release that all rows are from."""
    rows: list[R]
    next_after: int | None
    """`after` of the next page; null: there is none."""


class Ranked(BaseModel):
    rank: int
    track_id: str
    name: str | None
    artist: str | None
    score: float
    collaborative_score: float
    content_score: float
    source: str
    because_track_id: str | None


class Candidate(Ranked):
    genre: str | None
    year: int | None
    tags: list[str] | None
    listeners: int
    is_cold: bool
    spotify_preview_url: str | None


class RankedOfUser(Ranked):
    user_id: str


class RankedOfList(Ranked):
    position: int


class Neighbour(BaseModel):
    track_id: str
    rank: int
    similar_track_id: str
    name: str | None
    artist: str | None
    score: float
    collaborative_score: float
    content_score: float
    source: str
    because_track_id: str | None


class Found(BaseModel):
    rank: int
    track_id: str
    name: str | None
    artist: str | None
    score: float


class FromHistory(Found):
    plays: int
    last_played: date
    reason: str


class NewToListener(Ranked):
    new_since: date
    reason: str


class Rising(Found):
    new_listeners: int
    usual_listeners: float
    reason: str


class _ScoredArtist(BaseModel):
    rank: int
    artist: str
    score: float
    collaborative_score: float
    content_score: float
    source: str


class NearArtist(_ScoredArtist):
    shared_listeners: int
    shared_tracks: int
    reason: str


class RankedArtist(_ScoredArtist):
    listeners: int
    tracks: int
    track_id: str
    because_track_id: str | None
    reason: str


class Explanation(BaseModel):
    track_a: str
    track_b: str
    collaborative_score: float
    content_score: float
    same_artist: bool
    shared_tags: list[str] | None
    similar_features: list[str] | None
    reason: str | None


class OfVariant(BaseModel):
    variant: str | None
    variant_weight: float | None


class StoredOfUser(BaseModel):
    rank: int
    track_id: str
    score: float
    collaborative_score: float
    content_score: float
    source: str
    because_track_id: str | None


class StoredOfTrack(BaseModel):
    rank: int
    similar_track_id: str
    score: float
    collaborative_score: float
    content_score: float
    source: str


class Popular(BaseModel):
    rank: int
    track_id: str
    listeners: int
    plays: int


class Track(BaseModel):
    """A track; the features of the catalogue come on top."""

    model_config = ConfigDict(extra="allow")

    track_id: str
    name: str | None
    artist: str | None
    artists: list[str] | None
    tags: list[str] | None
    genre: str | None
    year: int | None
    listeners: int
    plays: int
    is_cold: bool


class Listener(BaseModel):
    user_id: str
    tracks_played: int
    plays: int
    segment: str
    weight: float


class Segment(BaseModel):
    segment: str
    min_tracks: int
    max_tracks: int | None
    users: int
    weight: float
    popularity: float
    neighbours_share: float | None = None
    popularity_share: float | None = None
    content_share: float | None = None


class Experiment(BaseModel):
    experiment: str
    variant: str
    is_control: bool
    share: float
    weight: float | None
    preset: str | None
    model: str | None
    release_id: str | None
    starts_at: datetime | None
    ends_at: datetime | None


class Measured(BaseModel):
    model: str
    segment: str
    metric: str
    k: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    users: int | None


class Release(BaseModel):
    release_id: str
    schema_version: int
    created_at: datetime
    code_version: str
    dataset: str
