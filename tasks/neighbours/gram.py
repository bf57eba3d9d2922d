"""Gram blocks of few tracks, gathered sparsely from the listeners those tracks share.

A group of targets with overlapping neighbourhoods needs G = XᵀDX only among the union S of its
candidates. The rows of X are cut to S first, so the work is Σ_u |H_u ∩ S|² / 2 and the only dense
thing is |S| × |S|, with |S| bounded.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tasks.neighbours.interactions import Interactions


class GramScratch:
    """Arrays of one entry per listener, kept between groups so that each costs what it touches."""

    def __init__(self, users: int) -> None:
        self.count = np.zeros(users, np.int32)
        self.place = np.zeros(users, np.int64)


def gram_block(
    interactions: Interactions,
    user_weight: NDArray[np.float64],
    members: NDArray[np.int32],
    scratch: GramScratch,
) -> NDArray[np.float32]:
    """Return the upper triangle, diagonal left out, of G among ``members`` (ascending keys).

    The lower triangle and the diagonal are zero. Sums are exact and rounded once, to float32.
    """
    gram: NDArray[np.float32] = _gram_block(
        interactions.track_starts,
        interactions.track_users,
        user_weight,
        members,
        scratch.count,
        scratch.place,
    )
    return gram


@njit(nogil=True, cache=True)
def _gram_block(  # type: ignore[no-untyped-def]
    track_starts, track_users, user_weight, members, count, place
):
    size = len(members)
    for local in range(size):
        track = members[local]
        for at in range(track_starts[track], track_starts[track + 1]):
            count[track_users[at]] += 1
    # Each listener's members, in order, one listener after the other as they are first met.
    total = 0
    for local in range(size):
        track = members[local]
        for at in range(track_starts[track], track_starts[track + 1]):
            user = track_users[at]
            if count[user] > 0:
                place[user] = total
                total += count[user]
                count[user] = -count[user]
    members_of = np.empty(total, np.int32)
    for local in range(size):
        track = members[local]
        for at in range(track_starts[track], track_starts[track + 1]):
            user = track_users[at]
            members_of[place[user]] = local
            place[user] += 1
    # count is now minus the number of members that come at or after the row being summed.
    gram = np.zeros((size, size), np.float32)
    row = np.zeros(size)
    for local in range(size):
        track = members[local]
        for at in range(track_starts[track], track_starts[track + 1]):
            user = track_users[at]
            count[user] += 1
            weight = user_weight[user]
            for later in range(place[user] + count[user], place[user]):
                row[members_of[later]] += weight
        for other in range(local + 1, size):
            gram[local, other] = row[other]
            row[other] = 0.0
    return gram
