"""What may be asked: one model for each macro or relation, its fields the arguments.

Every field is bounded, so that no request can ask for more than an answer should hold.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

ROWS, BATCH_ROWS, BATCH = 1000, 100, 200
"""Rows of a page; rows of each list of a batch; lists of a batch."""
IDS = 1000
"""Ids in one argument."""

Text = Annotated[str, Field(max_length=512)]
Id = Annotated[str, Field(min_length=1, max_length=512)]
Ids = Annotated[list[Id], Field(max_length=IDS)]
Year = Annotated[int, Field(ge=-9999, le=9999)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Weight = Annotated[
    Share | None, Field(description="Collaborative share, 0 to 1; default: the learned one")
]


class Question(BaseModel):
    """What every question has; an argument that does not exist is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    release_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Answer from this release while it is kept; default: the current one",
    )

    def values(self) -> dict[str, object]:
        """Return what the query binds."""
        return self.model_dump(exclude={"release_id"})

    def is_varied(self) -> bool:
        """Tell whether the order is not that of the scores alone."""
        return False


class _Varied(Question):
    """Only what is asked for is bound: releases may be older than these arguments."""

    diversity: Share = Field(
        default=0, description="Rows unlike each other, 0 (by score) to 1 (as unlike as can be)"
    )
    calibrated: Share = Field(
        default=0, description="Genres in the shares of the history, 0 (by score) to 1 (above all)"
    )

    def values(self) -> dict[str, object]:
        """Return what the query binds."""
        dials = set() if self.is_varied() else {"diversity", "calibrated"}
        return {name: value for name, value in super().values().items() if name not in dials}

    def is_varied(self) -> bool:
        """Tell whether the order is not that of the scores alone."""
        return self.diversity > 0 or self.calibrated > 0


class Paged(Question):
    """A list in order of rank, in pages: the next one begins after the last rank of this one."""

    k: int = Field(default=20, ge=1, le=ROWS, description="Rows of a page")
    after: int = Field(
        default=0, ge=0, le=1_000_000, description="Only ranks above this one (`next_after`)"
    )

    def values(self) -> dict[str, object]:
        """Return what the query binds: `after`, `last` (the rank that a full list ends at), …"""
        return {**self.model_dump(exclude={"release_id", "k"}), "last": self.after + self.k}


class _Weighted(Paged):
    weight: Weight = None
    exclude: Ids = Field(default=[], description="Track ids to leave out")


class _Artists(_Weighted):
    per_artist: int | None = Field(
        default=None, ge=1, le=ROWS, description="Most tracks of one artist"
    )
    exclude_artists: Ids = Field(default=[], description="Artists to leave out, by name")
    new_artists: bool = Field(default=False, description="Leave out artists of the history")


class RecommendUser(_Varied, _Artists):
    user_id: Id
    heard: bool = Field(default=False, description="Let played tracks back in")

    def is_stored(self) -> bool:
        """Tell whether the answer is the listener's stored list, or a part of it."""
        return self.model_fields_set <= {"user_id", "k", "after", "release_id"}


class RecommendTracks(_Varied, _Artists):
    track_ids: Ids = Field(min_length=1, description="Liked tracks")


class SimilarTo(_Weighted):
    track_id: Id
    k: int = Field(default=10, ge=1, le=ROWS, description="Rows of a page")


class _AboutDays(Paged):
    days: int = Field(default=28, ge=0, le=36_500, description="Days up to the newest play")
    exclude: Ids = Field(default=[], description="Track ids to leave out")


class OnRepeat(_AboutDays):
    user_id: Id


class Rediscover(_AboutDays):
    user_id: Id
    days: int = Field(default=90, ge=0, le=36_500, description="Days without a play")


class NewForUser(_Weighted):
    user_id: Id
    days: int = Field(default=28, ge=0, le=365, description="Days up to the end of the data")


class Trending(Paged):
    scope: Text = Field(default="all", description="'all', or a genre or tag")
    exclude: Ids = Field(default=[], description="Track ids to leave out")


class ArtistTracks(_Weighted):
    artist: Id = Field(description="Name of the artist; case and accents do not matter")


class SimilarArtists(Paged):
    artist: Id = Field(description="Name of the artist; case and accents do not matter")
    k: int = Field(default=10, ge=1, le=ROWS, description="Rows of a page")
    weight: Weight = None
    exclude: Ids = Field(default=[], description="Artists to leave out, by name")


class RecommendArtists(Paged):
    user_id: Id
    weight: Weight = None
    exclude_artists: Ids = Field(default=[], description="Artists to leave out, by name")
    new_artists: bool = Field(default=True, description="Leave out artists of the history")


class ContinuePlaylist(_Weighted):
    track_ids: Ids = Field(min_length=1, description="The playlist so far, in its order")
    per_artist: int | None = Field(
        default=None, ge=1, le=ROWS, description="Most tracks of one artist"
    )


class Radio(_Weighted):
    track_ids: Ids = Field(min_length=1, description="Tracks to start from")
    seed: Text = Field(default="0", description="The same seed gives the same list")
    k: int = Field(default=50, ge=1, le=ROWS, description="Rows of a page")
    per_artist: int | None = Field(
        default=3, ge=1, le=ROWS, description="Most tracks of one artist"
    )


class _Filtered(_Weighted):
    genres: Ids = Field(default=[], description="Only tracks of one of these genres")
    tags: Ids = Field(default=[], description="Only tracks with one of these tags")
    first_year: Year | None = Field(default=None, description="Only tracks of this year or later")
    last_year: Year | None = Field(default=None, description="Only tracks of this year or earlier")
    is_cold: bool | None = Field(default=None, description="Only unplayed tracks, or only played")
    has_preview: bool = Field(default=False, description="Only tracks with a preview")

    def values(self) -> dict[str, object]:
        """Return what the query binds: filtered rows are counted, not ranks."""
        return self.model_dump(exclude={"release_id"})


class UserCandidates(_Filtered):
    user_id: Id
    heard: bool = Field(default=False, description="Let played tracks back in")


class TrackCandidates(_Filtered):
    track_id: Id


class CandidatesForTracks(_Filtered):
    track_ids: Ids = Field(min_length=1, description="Liked tracks")


class Explain(Question):
    track_a: Id
    track_b: Id


class SearchTracks(Paged):
    text: str = Field(max_length=200, description="A piece of a name, of an artist or of both")
    k: int = Field(default=10, ge=1, le=100, description="Rows of a page")
    exclude: Ids = Field(default=[], description="Track ids to leave out")


class RecommendUsers(_Varied):
    user_ids: list[Id] = Field(min_length=1, max_length=BATCH)
    k: int = Field(default=20, ge=1, le=BATCH_ROWS, description="Rows for each listener")
    weight: Share | None = Field(default=None, description="Collaborative share for all of them")
    exclude: Ids = Field(default=[], description="Track ids to leave out")
    heard: bool = Field(default=False, description="Let played tracks back in")


class RecommendMany(_Varied):
    lists: list[Annotated[list[Id], Field(max_length=100)]] = Field(min_length=1, max_length=BATCH)
    k: int = Field(default=20, ge=1, le=BATCH_ROWS, description="Rows for each list")
    weight: Share | None = Field(default=None, description="Collaborative share for all of them")


class SimilarToMany(Question):
    track_ids: list[Id] = Field(min_length=1, max_length=BATCH)
    k: int = Field(default=10, ge=1, le=BATCH_ROWS, description="Rows for each track")
    weight: Share | None = Field(default=None, description="Collaborative share for all of them")


class Variant(Question):
    user_id: Id
    experiment: Text = Field(description="Name of the experiment")


class UserRecommendations(Paged):
    user_id: Id


class SimilarTracks(Paged):
    track_id: Id


class PopularTracks(Paged):
    scope: Text = Field(default="all", description="'all', or a genre or tag")


class Tracks(Question):
    track_ids: list[Id] = Field(min_length=1, max_length=BATCH)


class Users(Question):
    user_id: Id
