"""Tables and text in Markdown."""

import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: int = 0) -> list[str]:
    """Return a table as lines of Markdown; the last ``numbers`` columns are right-aligned."""
    marks = ["---"] * (len(head) - numbers) + ["---:"] * numbers
    lines = [head, marks, *rows]
    return ["| " + " | ".join(_cell(value) for value in line) + " |" for line in lines]


def escaped(text: str) -> str:
    """Return text on one line, with nothing in it that Markdown or HTML would interpret."""
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", " ".join(text.split()))


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
