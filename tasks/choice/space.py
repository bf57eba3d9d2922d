"""The settings that a search looks at: dials, draws, and moves from one setting to the next.

λ is compared between data sets in units of rows n_u^-exponent that are not rescaled: near 20 is
good on sparse and on dense data alike (docs/decisions/0045).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.choice.dials import LADDERS
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters

RIDGE_STEPS = (0.5, 0.7, 1.4, 2.0)
"""What a move multiplies λ by."""

COMMON_RIDGE, COMMON_EXPONENT = 20.0, 0.25
"""λ of rows n_u^-exponent as they are, and the exponent, that are near the best everywhere."""

LEAST_RIDGE, MOST_RIDGE = 5.0, 80.0
"""Between them λ is drawn."""

MOVES = 0.35
"""How likely a move turns a dial."""


@dataclass(frozen=True)
class Space:
    """Draws settings from ``rng``; what is pinned never moves."""

    interactions: Interactions
    start: CollaborativeParameters
    pinned: Collection[str]
    rng: np.random.Generator

    def draws(self, number: int) -> list[CollaborativeParameters]:
        """Return the start, the settings good everywhere, and ``number`` random ones.

        They have the neighbours and the marginal share of the start and no second step: those come
        when the rest is near.
        """
        common = {
            "user_exponent": COMMON_EXPONENT,
            "ridge": self._ridge(COMMON_RIDGE, COMMON_EXPONENT),
        }
        known = [self._with(common | {"non_negative": sign}) for sign in (True, False)]
        dials = ("non_negative", "target_exponent", "popularity_ridge", "source_exponent")
        random = []
        for _ in range(number):
            values = {dial: self._pick(LADDERS[dial]) for dial in dials}
            values["user_exponent"] = self._pick(LADDERS["user_exponent"][1:])
            ridge = np.exp(self.rng.uniform(np.log(LEAST_RIDGE), np.log(MOST_RIDGE)))
            exponent = self._kept("user_exponent", values["user_exponent"])
            random.append(self._with(values | {"ridge": self._ridge(float(ridge), exponent)}))
        return list(dict.fromkeys([self.start, *known, *random]))

    def children(
        self, parents: Sequence[CollaborativeParameters], number: int, two_steps: bool
    ) -> list[CollaborativeParameters]:
        """Return settings between and around ``parents``, the best of which is the first."""
        found = [self._wider(parent) for parent in parents[:2]]
        found += [self._with({"marginal_share": 0.3}, parents[0])]
        if two_steps:
            found += [self._with({"two_step": 0.25}, parents[0])]
        for at in range(number):
            one = parents[at % len(parents)]
            other = parents[int(self.rng.integers(len(parents)))]
            found.append(self._moved(self._crossed(one, other)))
        return [one for one in dict.fromkeys(found) if one not in parents]

    def _wider(self, parent: CollaborativeParameters) -> CollaborativeParameters:
        """Return a setting with the next larger number of neighbours."""
        more = [m for m in LADDERS["neighbours"] if m > parent.neighbours]
        return self._with({"neighbours": more[0]} if more else {}, parent)

    def _crossed(
        self, one: CollaborativeParameters, other: CollaborativeParameters
    ) -> CollaborativeParameters:
        """Take every dial from either; λ goes with the exponent that it was found with."""
        values = {
            dial: getattr(other, dial)
            for dial in LADDERS
            if self.rng.random() < 0.3 and dial not in ("user_exponent", "neighbours")
        }
        if self.rng.random() < 0.3:
            values |= {"user_exponent": other.user_exponent, "ridge": other.ridge}
        return self._with(values, one)

    def _moved(self, setting: CollaborativeParameters) -> CollaborativeParameters:
        values: dict[str, Any] = {}
        for dial in (
            *("target_exponent", "popularity_ridge", "source_exponent", "user_exponent"),
            "marginal_share",
        ):
            if self.rng.random() < MOVES:
                values[dial] = self._beside(LADDERS[dial], getattr(setting, dial))
        if setting.two_step > 0 and self.rng.random() < MOVES:
            values["two_step"] = self._beside(LADDERS["two_step"], setting.two_step)
        if self.rng.random() < MOVES / 3:
            values["non_negative"] = not setting.non_negative
        ridge = setting.ridge
        if "user_exponent" in values:
            exponent = self._kept("user_exponent", values["user_exponent"])
            ridge *= self._scale(exponent) / self._scale(setting.user_exponent)
        if self.rng.random() < MOVES or not values:
            ridge *= self._pick(RIDGE_STEPS)
        return self._with(values | {"ridge": _rounded(ridge)}, setting)

    def _beside(self, ladder: Sequence[Any], value: Any) -> Any:
        """Return the rung below or above a value, which may be between two."""
        below = [one for one in ladder if one < value][-1:]
        above = [one for one in ladder if one > value][:1]
        return self._pick(below + above)

    def _with(
        self, values: Mapping[str, Any], setting: CollaborativeParameters | None = None
    ) -> CollaborativeParameters:
        free = {dial: value for dial, value in values.items() if dial not in self.pinned}
        return (setting or self.start).model_copy(update=free)

    def _kept(self, dial: str, value: Any) -> Any:
        """Return the value that a dial will have."""
        return getattr(self.start, dial) if dial in self.pinned else value

    def _pick(self, values: Sequence[Any]) -> Any:
        return values[int(self.rng.integers(len(values)))]

    def _ridge(self, unscaled: float, exponent: float) -> float:
        """Return the parameter `ridge` for a λ of rows n_u^-exponent as they are."""
        exponent = self._kept("user_exponent", exponent)
        return _rounded(unscaled * self._scale(exponent))

    def _scale(self, exponent: float) -> float:
        """Return what the model multiplies n_u^-exponent by, so that the average play weighs 1."""
        played = self.interactions.tracks_played
        played = played[played > 0].astype(np.float64)
        return float(played.sum() / np.power(played, 1.0 - exponent).sum())


def _rounded(ridge: float) -> float:
    """Return λ within its bounds, to two digits."""
    return float(f"{min(max(ridge, 0.1), 1e6):.2g}")
