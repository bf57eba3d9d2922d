"""Changes, intervals and dates as they read in a sentence."""

from datetime import datetime


def percent(share: float) -> str:
    """Return a change in percent with its sign."""
    return f"{100 * share:+.1f} %".replace("-", "\N{MINUS SIGN}")


def interval(low: float, high: float) -> str:
    """Return an interval of changes in percent, without its unit."""
    return f"{100 * low:.1f} to {100 * high:.1f}".replace("-", "\N{MINUS SIGN}")


def day(moment: datetime) -> str:
    """Return a date as a reader writes it."""
    return f"{moment.day} {moment:%B %Y}"


def listed(words: list[str]) -> str:
    """Return words as they are listed in a sentence: `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
