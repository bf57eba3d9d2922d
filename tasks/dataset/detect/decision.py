"""One decision of a proposal: what is written, how sure it is, and why."""

from dataclasses import dataclass
from typing import Any

from tasks.dataset.detect.sureness import Sureness


@dataclass(frozen=True)
class Decision:
    """The value proposed for one field of the dataset TOML."""

    field: str
    """Field of the TOML, such as ``plays.user``."""
    value: Any
    """What is written: text, number, truth value, list or mapping; None to leave it out."""
    sureness: Sureness
    reason: str
    choices: tuple[str, ...] = ()
    """Other columns or values that could be meant, for the question."""

    @property
    def shown(self) -> str:
        """The value as a line of text."""
        value = self.value
        if value is None:
            return "none"
        if isinstance(value, dict):
            return ", ".join(f"{name} {inner}" for name, inner in value.items())
        if isinstance(value, list | tuple):
            return ", ".join(map(str, value))
        return str(value)
