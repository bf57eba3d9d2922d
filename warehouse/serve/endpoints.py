"""The endpoints: for each macro or relation what may be asked and what comes back."""

from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel

from warehouse.serve import questions as ask
from warehouse.serve import rows
from warehouse.serve.queries import Rows
from warehouse.statements import filled, statement

FILTERED = statement("warehouse.serve", "sql/filtered")
"""How all lists of candidates are filtered."""

VARIETY = ", diversity := $diversity, calibrated := $calibrated"
"""Arguments of a list in another order."""


@dataclass(frozen=True)
class Endpoint:
    """One path under `/v1/`, of the same name as the macro or relation that answers."""

    name: str
    question: type[ask.Question]
    row: type[BaseModel]
    summary: str
    by_get: bool = True
    by_post: bool = False
    """Takes the same arguments as a JSON object: ids that are too many for an address."""

    @cached_property
    def sql(self) -> str:
        """The query, in the `sql/` folder."""
        return self._filled("")

    @cached_property
    def varied_sql(self) -> str:
        """The same in another order than that of the scores."""
        return self._filled(VARIETY)

    def _filled(self, variety: str) -> str:
        text = statement("warehouse.serve", f"sql/{self.name}")
        return filled(text, {"filtered": FILTERED, "variety": variety})

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/v1/{self.name}"


ENDPOINTS = (
    Endpoint("recommend_user", ask.RecommendUser, rows.Ranked, "Recommendations for a listener"),
    Endpoint(
        "recommend_tracks",
        ask.RecommendTracks,
        rows.Ranked,
        "Recommendations for anyone with a few liked tracks",
        by_post=True,
    ),
    Endpoint("similar_to", ask.SimilarTo, rows.Ranked, "Neighbours of a track"),
    Endpoint(
        "user_candidates", ask.UserCandidates, rows.Candidate, "A listener's whole list, filtered"
    ),
    Endpoint(
        "track_candidates", ask.TrackCandidates, rows.Candidate, "A track's whole list, filtered"
    ),
    Endpoint(
        "candidates_for_tracks",
        ask.CandidatesForTracks,
        rows.Candidate,
        "The whole list for a few liked tracks, filtered",
        by_post=True,
    ),
    Endpoint("on_repeat", ask.OnRepeat, rows.FromHistory, "What a listener plays now"),
    Endpoint(
        "rediscover", ask.Rediscover, rows.FromHistory, "What a listener loved and plays no more"
    ),
    Endpoint("new_for_user", ask.NewForUser, rows.NewToListener, "New tracks for a listener"),
    Endpoint("trending", ask.Trending, rows.Rising, "Tracks that win listeners beyond their usual"),
    Endpoint("artist_tracks", ask.ArtistTracks, rows.Ranked, "The tracks of an artist"),
    Endpoint(
        "similar_artists", ask.SimilarArtists, rows.NearArtist, "Artists that are close to one"
    ),
    Endpoint(
        "recommend_artists", ask.RecommendArtists, rows.RankedArtist, "Artists for a listener"
    ),
    Endpoint(
        "continue_playlist",
        ask.ContinuePlaylist,
        rows.Ranked,
        "Tracks to go on with after a playlist",
        by_post=True,
    ),
    Endpoint(
        "radio",
        ask.Radio,
        rows.Ranked,
        "A long, varied list around a few tracks",
        by_post=True,
    ),
    Endpoint("explain", ask.Explain, rows.Explanation, "Why two tracks are close"),
    Endpoint("search_tracks", ask.SearchTracks, rows.Found, "Tracks by name or artist"),
    Endpoint(
        "recommend_users",
        ask.RecommendUsers,
        rows.RankedOfUser,
        "Recommendations for many listeners",
        by_get=False,
        by_post=True,
    ),
    Endpoint(
        "recommend_many",
        ask.RecommendMany,
        rows.RankedOfList,
        "Recommendations for many lists of liked tracks",
        by_get=False,
        by_post=True,
    ),
    Endpoint(
        "similar_to_many",
        ask.SimilarToMany,
        rows.Neighbour,
        "Neighbours of many tracks",
        by_get=False,
        by_post=True,
    ),
    Endpoint("variant", ask.Variant, rows.OfVariant, "A listener's variant of an experiment"),
    Endpoint(
        "user_recommendations",
        ask.UserRecommendations,
        rows.StoredOfUser,
        "A listener's stored list",
    ),
    Endpoint(
        "similar_tracks", ask.SimilarTracks, rows.StoredOfTrack, "A track's stored neighbours"
    ),
    Endpoint("popular_tracks", ask.PopularTracks, rows.Popular, "The most played tracks"),
    Endpoint("tracks", ask.Tracks, rows.Track, "Tracks by id"),
    Endpoint("users", ask.Users, rows.Listener, "A listener by id"),
    Endpoint("segments", ask.Question, rows.Segment, "Segments of listeners and their weights"),
    Endpoint("experiments", ask.Question, rows.Experiment, "Experiments and their variants"),
    Endpoint("evaluation", ask.Question, rows.Measured, "Measured quality, by model and segment"),
    Endpoint("release", ask.Question, rows.Release, "The release that answers"),
)


STORED_LIST = statement("warehouse.serve", "sql/user_recommendations")
"""The query of a listener's stored list: what takes little to plan."""


def next_after(question: ask.Question, found: Rows) -> int | None:
    """Return where the next page begins: after the last rank of a full page."""
    if isinstance(question, ask.Paged) and len(found) == question.k:
        return int(found[-1]["rank"])
    return None
