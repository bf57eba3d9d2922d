"""What showing unplayed tracks costs: the whole catalogue ranked at many γ, hidden tracks in it.

Of each listener's visible tracks four in five are the history and one in five is to be found. The
hidden tracks of a draw stand for unplayed ones: γ lets them in (docs/scoring.md, rule 3).
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from tasks.backtest.cold import ColdDraw
from tasks.blend.model import BlendCatalogue, EdgeTable, HybridModel
from tasks.blend.parameters import HybridParameters, segment_of
from tasks.collaborative.find_edges import largest_weight, weight_matrix
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.tables import edge_table
from tasks.evaluation.metrics import ndcg_at_k, recall_at_k
from tasks.evaluation.points import BlendPoints, rank_points

DEPTH = 100
SHOWN = 20

GAMMAS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

MEASURES = (("ndcg", DEPTH), ("hidden_recall", DEPTH), ("hidden_share", SHOWN))
"""NDCG of the visible tracks to be found; recall of the listener's hidden ones; share of the rows
that are hidden tracks."""


def exposure_values(
    draw: ColdDraw,
    artist_key: pa.ChunkedArray,
    content: pa.Table,
    collaborative: CollaborativeParameters,
    hybrid: HybridParameters,
) -> NDArray[np.float64]:
    """Return `MEASURES` for every listener and every γ of `GAMMAS`: listeners × γ × measures.

    NaN where a listener has nothing to be found. ``content`` is the draw's neighbour table.
    """
    size = len(draw.hidden)
    matrix = weight_matrix(Interactions.of(draw.plays), collaborative)
    weights = edge_table(matrix, largest_weight(matrix, collaborative))
    listeners = np.asarray(draw.plays.sum(axis=0)).astype(np.int32)
    model = HybridModel(
        EdgeTable.from_edges(weights, size),
        EdgeTable.from_edges(content, size),
        BlendCatalogue.from_tracks(pa.table({"listeners": listeners, "artist_key": artist_key})),
        hybrid,
    )
    history, visible = _split(draw)
    lists = rank_points(
        model,
        history.indptr.astype(np.int64),
        history.indices.astype(np.int32),
        _points(np.diff(history.indptr), hybrid),
        DEPTH,
    )
    wanted = sparse.csr_array(draw.targets @ _columns(draw))
    values = np.empty((len(lists), len(GAMMAS), len(MEASURES)))
    for q in range(len(GAMMAS)):
        values[:, q, 0] = ndcg_at_k(lists[:, q], visible, DEPTH)
        values[:, q, 1] = recall_at_k(lists[:, q], wanted, DEPTH)
        values[:, q, 2] = draw.hidden[lists[:, q, :SHOWN]].mean(axis=1)
    values[np.diff(history.indptr) == 0] = np.nan
    return values


def _points(lengths: NDArray[np.integer], hybrid: HybridParameters) -> BlendPoints:
    """Return the blend of each listener's segment, at every γ."""
    of = segment_of(lengths, hybrid.segments)
    weight = np.array([segment.weight for segment in hybrid.segments])[of][:, None]
    prior = np.array([segment.popularity for segment in hybrid.segments])[of][:, None]
    return BlendPoints.of(len(lengths), weight, prior, np.array(GAMMAS))


def _split(draw: ColdDraw) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Split the visible plays at random into history and what is to be found."""
    plays = sparse.csr_array(draw.histories)
    found = np.random.default_rng([draw.seed, 2]).random(plays.nnz) < 0.2
    parts = []
    for kept in (~found, found):
        data = (kept.astype(float), plays.indices, plays.indptr)
        part = sparse.csr_array(data, shape=plays.shape, copy=True)
        part.eliminate_zeros()
        parts.append(part)
    return parts[0], parts[1]


def _columns(draw: ColdDraw) -> sparse.csr_array:
    """Map the columns of the draw's targets to track keys."""
    tracks = draw.candidates
    ones = np.ones(len(tracks))
    shape = (len(tracks), len(draw.hidden))
    return sparse.csr_array((ones, (np.arange(len(tracks)), tracks)), shape=shape)
