"""How sure a proposal is of a decision, in words."""

from enum import Enum


class Sureness(Enum):
    """Sure and likely decisions are taken; guesses are asked about, or marked in the TOML."""

    SURE = "sure"
    LIKELY = "likely"
    GUESS = "a guess"

    def __and__(self, other: "Sureness") -> "Sureness":
        """Return the less sure of two."""
        order = list(Sureness)
        return max(self, other, key=order.index)
