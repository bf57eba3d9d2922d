"""Sample ratio: do the listeners of the variants match the planned shares?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from warehouse.explorer.experiments.effects import ALL

LEVEL = 1e-3
"""A smaller p-value is a mismatch, as the measurement itself has it (docs/experiments.md)."""


@dataclass(frozen=True)
class Ratio:
    """Listeners of each variant beside the plan."""

    users: dict[str, int]
    shares: dict[str, float]
    """Planned shares of the listeners that take part, in all 1."""
    p_value: float
    """Of Pearson's chi-square test of the counts against the shares."""

    @property
    def fits(self) -> bool:
        """Tell whether chance alone may have done it."""
        return self.p_value >= LEVEL

    def sentence(self) -> str:
        """Return the counts and the answer in one sentence."""
        total = sum(self.users.values())
        counted = ", ".join(
            f"{name} {users:,} ({100 * users / max(total, 1):.1f} %, planned "
            f"{100 * self.shares[name]:.1f} %)"
            for name, users in self.users.items()
        )
        answer = "as planned" if self.fits else "not as planned, so all figures are withheld"
        return f"{counted}: {answer} (p = {self.p_value:.2g})."


def ratio_of(
    configured: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]]
) -> Ratio | None:
    """Return the sample ratio; None if the experiment is no longer configured or saw nobody."""
    from scipy.special import chdtrc

    seen = {str(row["variant"]): int(row["users"]) for row in results if row["segment"] == ALL}
    shares = {str(row["variant"]): float(row["share"]) for row in configured}
    total = sum(seen.get(name, 0) for name in shares)
    if len(shares) < 2 or not total:
        return None
    whole = sum(shares.values())
    shares = {name: share / whole for name, share in shares.items()}
    users = {name: seen.get(name, 0) for name in shares}
    statistic = sum((users[n] - total * s) ** 2 / (total * s) for n, s in shares.items())
    return Ratio(users, shares, float(chdtrc(len(shares) - 1, statistic)))
