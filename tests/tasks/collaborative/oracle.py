"""The models once more, dense and slow, straight from their formulas."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import nnls

from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters

Dense = NDArray[np.float64]
Keys = NDArray[np.int32]


def dense(interactions: Interactions) -> Dense:
    """Return X, users × tracks, as zeros and ones."""
    ones = np.ones(len(interactions.user_tracks))
    shape = (interactions.users, interactions.tracks)
    matrix = sparse.csr_array((ones, interactions.user_tracks, interactions.user_starts), shape)
    return np.asarray(matrix.toarray(), dtype=np.float64)


def top(scores: Dense, itself: int, m: int) -> NDArray[np.int64]:
    """Return the keys of the m best positive scores, ties by key, in order of key."""
    scores = scores.copy()
    scores[itself] = 0.0
    best = np.lexsort((np.arange(len(scores)), -scores))[:m]
    return np.sort(best[scores[best] > 0])


def cosine(interactions: Interactions, m: int) -> Dense:
    """Return sources × targets: the top m of each column."""
    X = dense(interactions)
    root = np.maximum(X.sum(axis=0), 1) ** -0.5
    together = X.T @ X
    W = np.zeros_like(together)
    for j in range(len(W)):
        N = top(root * together[:, j], j, m)
        W[N, j] = together[N, j] * (root[N] * root[j])
    return W


def formula(interactions: Interactions, parameters: CollaborativeParameters) -> Dense:
    """Return all pairs' weights by the model's formula, uncut and with the diagonal."""
    X = dense(interactions)
    n, n_u = np.maximum(X.sum(axis=0), 1), np.maximum(X.sum(axis=1), 1)
    p = parameters
    if p.model == "asymmetric_cosine":
        return np.asarray(X.T @ X / np.outer(n**p.asymmetry, n ** (1 - p.asymmetry)))
    if p.model == "rp3beta":
        to_user, to_track = (X / n) ** p.walk_exponent, (X.T / n_u) ** p.walk_exponent
        return np.asarray(to_user.T @ to_track.T / n**p.walk_popularity)
    assert p.model == "bm25"
    norm = 1 - p.length_share + p.length_share * X.sum(axis=0) / X.sum(axis=0).mean()
    idf = np.log(X.shape[1] / (1 + X.sum(axis=1))).clip(0)
    W = X * idf[:, None] * (p.saturation + 1) / (p.saturation * norm + 1)
    return np.asarray(W.T @ W)


def learned(interactions: Interactions, parameters: CollaborativeParameters) -> Dense:
    """Return sources × targets: one dense solve for each column."""
    X = dense(interactions)
    d = interactions.weights_by_length(parameters.user_exponent)
    whole = X.T @ (X * d.whole[:, None].astype(np.float64))
    G = whole * d.unit
    g = np.diag(G)
    n = np.maximum(X.sum(axis=0), 1)
    similar = np.maximum(np.diag(whole), 1) ** -0.5
    W = np.zeros_like(G)
    for j in range(len(G)):
        N = top(similar * whole[:, j], j, parameters.neighbours)
        ridge = parameters.ridge + parameters.popularity_ridge * g[N]
        A = G[np.ix_(N, N)] + np.diag(ridge)
        if parameters.non_negative:
            L = np.linalg.cholesky(A)
            b = nnls(L.T, np.linalg.solve(L, G[N, j]))[0] if len(N) else np.zeros(0)
        else:
            b = np.linalg.solve(A, G[N, j])
        cosine = G[N, j] / np.sqrt(g[N] * g[j])
        spread = cosine * np.abs(b).sum() / (cosine.sum() or 1.0)
        W[N, j] = (1 - parameters.marginal_share) * b + parameters.marginal_share * spread
    if parameters.two_step:
        squared = W + parameters.two_step * W @ W
        np.fill_diagonal(squared, 0.0)
        kept = np.argsort(-np.abs(squared), axis=0, kind="stable")
        np.put_along_axis(squared, kept[parameters.two_step_neighbours :], 0.0, axis=0)
        W = squared
    popularity = np.outer(n**-parameters.source_exponent, n**-parameters.target_exponent)
    return np.asarray(W * popularity)


def random_interactions(seed: int, users: int, tracks: int, density: float) -> Interactions:
    """Return who played what by chance, some tracks far more liked than others."""
    rng = np.random.default_rng(seed)
    appeal = rng.pareto(1.5, tracks) + 0.1
    chance = np.minimum(density * appeal / appeal.mean(), 0.95)
    return Interactions.of(sparse.csr_array(rng.random((users, tracks)) < chance))
