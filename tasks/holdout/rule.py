"""Who is held out: every listener whose hash is below a threshold, whatever the others do.

The threshold is a share of all hashes. It is `holdout` itself, or that doubled or halved a few
times where the data is small or large, and it moves rarely: growing data keeps the share that the
current release was measured with until it is four times the fewest listeners needed.
"""

from collections.abc import Iterator
from itertools import count

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tasks.holdout.hashing import Hashes, id_hashes
from tasks.holdout.parameters import HoldoutParameters

MIN_TRACKS = 2
"""One track to fold in and one to find: fewer cannot be split, so they are not measured."""

MOST = 0.5
"""Largest share that is held out."""


class HoldoutRule(BaseModel):
    """A threshold of keyed hashes: equal rules hold out the same ids, whatever the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    share: float = Field(gt=0, le=MOST)

    def hashes(self, user_ids: pa.ChunkedArray | pa.Array) -> Hashes:
        """Hash listeners' ids."""
        return id_hashes(user_ids, self.seed)

    def holds_out(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Tell which of the hashes are below the threshold."""
        return np.asarray(hashes < np.uint64(self.share * 2.0**64))


def holdout_rule(
    users: pa.Table, parameters: HoldoutParameters, before: HoldoutRule | None = None
) -> HoldoutRule | None:
    """Return who is held out of ``users`` (user_id, tracks_played); None with ``holdout`` 0.

    The smallest share on the grid holdout · 2ᵏ, from ``holdout`` up, that leaves about
    ``min_listeners`` to be measured; or the largest, from ``holdout`` down, with about
    ``max_listeners``. The share ``before``, if it is on the grid, stays as long as it keeps to
    both and is at most one step away. Where by chance more than half of all listeners would be
    held out, the share is halved.
    """
    if parameters.holdout == 0:
        return None
    eligible = int(np.count_nonzero(users["tracks_played"].to_numpy() >= MIN_TRACKS))
    hashes = id_hashes(users["user_id"], parameters.seed)
    for share in _halved(_share(eligible, parameters, before)):
        rule = HoldoutRule(seed=parameters.seed, share=share)
        if np.count_nonzero(rule.holds_out(hashes)) <= len(hashes) // 2:
            return rule
    return None


def _share(eligible: int, parameters: HoldoutParameters, before: HoldoutRule | None) -> float:
    share = parameters.holdout
    while share * eligible < parameters.min_listeners and 2 * share <= MOST:
        share *= 2
    while share * eligible > parameters.max_listeners:
        share /= 2
    if before is None or before.seed != parameters.seed:
        return share
    enough = before.share * eligible >= parameters.min_listeners or 2 * before.share > MOST
    few_enough = before.share * eligible <= parameters.max_listeners
    is_near = before.share in (share / 2, share, 2 * share)
    return before.share if enough and few_enough and is_near else share


def _halved(share: float) -> Iterator[float]:
    """Yield the share and its halves, down to where nobody is held out."""
    for times in count():
        if (halved := share / 2.0**times) * 2.0**64 < 1:
            return
        yield halved


def held_out_listeners(users: pa.Table, rule: HoldoutRule) -> NDArray[np.int32]:
    """Return the user keys that are held out (int32, ascending) of user_key, user_id.

    Those with a single track are held out too, so that nobody who gains a track moves from the
    listeners a model has seen to those it has not.
    """
    keys: NDArray[np.int32] = users["user_key"].to_numpy()
    return np.sort(keys[rule.holds_out(rule.hashes(users["user_id"]))])
