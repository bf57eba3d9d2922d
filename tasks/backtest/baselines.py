"""Ways to score tracks nobody has played: ours and the ones it must beat.

Each takes a draw of `tasks.backtest.cold` and returns listeners × hidden tracks.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from tasks.backtest.cold import ColdDraw, Scorer, Scores
from tasks.content.features import ContentFeatures
from tasks.content.model import artist_keys, fit_content
from tasks.content.parameters import ContentParameters
from tasks.content.tables import content_table

LIST = 100
"""Length of the baselines' neighbour lists."""

OURS = "content"


@dataclass(frozen=True)
class Baselines:
    """What content alone does without learning, on the feature matrix of a catalogue."""

    tags: sparse.csr_array
    """Tracks × tags, TF-IDF, rows of length 1."""
    features: sparse.csr_array
    """Tracks × columns, all features at equal weight, rows of length 1."""
    artists: NDArray[np.int32]

    @classmethod
    def of(
        cls, tracks: pa.Table, numeric: tuple[str, ...], categorical: tuple[str, ...]
    ) -> "Baselines":
        """Encode a catalogue; a same artist is one more feature of equal weight."""
        artists = artist_keys(tracks)
        matrix = ContentFeatures(numeric, categorical).fit(tracks).transform(tracks)
        nothing = sparse.csr_array((tracks.num_rows, 1))
        known = np.flatnonzero(artists >= 0)
        one_hot = sparse.csr_array(
            (np.ones(len(known)), (known, artists[known])),
            shape=(tracks.num_rows, int(artists.max(initial=0)) + 1),
        )
        named = dict(zip(matrix.names, matrix.blocks, strict=True))
        parts = [*matrix.blocks, one_hot] if len(known) else [*matrix.blocks, nothing]
        joined = sparse.csr_array(sparse.hstack(parts))
        lengths = np.sqrt(np.asarray(joined.multiply(joined).sum(axis=1)))
        unit = sparse.csr_array(joined.multiply(1 / np.maximum(lengths, 1e-12)[:, None]))
        return cls(named.get("tags", nothing), unit, artists)

    def random(self, draw: ColdDraw) -> Scores:
        """Score at random."""
        shape = (draw.histories.shape[0], len(draw.candidates))
        return np.random.default_rng([draw.seed, 1]).random(shape)

    def same_artist(self, draw: ColdDraw) -> Scores:
        """Count the tracks of the history by the track's artist."""
        hidden = self.artists[draw.candidates]
        same = (self.artists[:, None] == hidden) & (hidden >= 0)
        return np.asarray(draw.histories @ same.astype(np.float64))

    def tag_cosine(self, draw: ColdDraw) -> Scores:
        """Sum the tag cosines to every track of the history."""
        similarity = (self.tags @ self.tags[draw.candidates].T).toarray()
        return np.asarray(draw.histories @ similarity)

    def tag_lists(self, draw: ColdDraw) -> Scores:
        """Sum the tag cosines of history tracks that have the track among their nearest 100."""
        similarity = (self.tags @ self.tags.T).toarray()
        np.fill_diagonal(similarity, -1.0)
        return np.asarray(draw.histories @ _longest(similarity, LIST)[:, draw.candidates])

    def equal_weights(self, draw: ColdDraw) -> Scores:
        """Sum the similarities, all features alike, to every track of the history."""
        similarity = (self.features @ self.features[draw.candidates].T).toarray()
        return np.asarray(draw.histories @ similarity)

    def nearest_played(self, draw: ColdDraw) -> Scores:
        """Sum the similarities of history tracks among the track's nearest 100 played ones."""
        return np.asarray(draw.histories @ self._nearest(draw).T)

    def nearest_played_popular(self, draw: ColdDraw) -> Scores:
        """Multiply `nearest_played` by the neighbours' mean listeners: predicted popularity."""
        near = self._nearest(draw)
        listeners = np.asarray(draw.plays.sum(axis=0), dtype=np.float64)
        popularity = near @ listeners / np.maximum(near.sum(axis=1), 1e-12)
        return np.asarray((draw.histories @ near.T) * popularity)

    def _nearest(self, draw: ColdDraw) -> NDArray[np.float64]:
        similarity = (self.features[draw.candidates] @ self.features.T).toarray()
        similarity[:, draw.hidden] = -1.0
        return _longest(similarity, LIST)

    def models(self) -> dict[str, Scorer]:
        """Name them all."""
        return {
            "random": self.random,
            "same artist": self.same_artist,
            "tag cosine": self.tag_cosine,
            "tag cosine, top-100 lists": self.tag_lists,
            "equal-weight content": self.equal_weights,
            "kNN": self.nearest_played,
            "kNN × predicted popularity": self.nearest_played_popular,
        }


def _longest(similarity: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Keep the k largest positive values of every row (more at a tie), zero the rest."""
    if similarity.shape[1] > k:
        least = -np.partition(-similarity, k - 1, axis=1)[:, k - 1 : k]
        similarity = np.where(similarity >= least, similarity, 0.0)
    return np.maximum(similarity, 0.0)


@dataclass(frozen=True)
class OurContent:
    """The table that a release would hold, made without the hidden tracks' plays."""

    tracks: pa.Table
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    parameters: ContentParameters

    def table(self, draw: ColdDraw) -> pa.Table:
        """Fit on what the draw shows; return the neighbour table as a release has it."""
        model = fit_content(
            self.tracks, draw.plays, self.numeric, self.categorical, self.parameters
        )
        return content_table(model.space, ~draw.hidden, self.parameters)

    def models(self) -> dict[str, Scorer]:
        """Name it."""
        return {OURS: lambda draw: summed(self.table(draw), draw)}


def summed(edges: pa.Table, draw: ColdDraw) -> Scores:
    """Sum the weights of the history's tracks for every hidden track, as a release does."""
    size = len(draw.hidden)
    weights = edges["weight"].to_numpy().astype(np.float64)
    pairs = (edges["source"].to_numpy(), edges["target"].to_numpy())
    table = sparse.csr_array((weights, pairs), shape=(size, size))
    return np.asarray((draw.histories @ table[:, draw.candidates]).toarray())
