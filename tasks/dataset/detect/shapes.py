"""The shape of one value: number, date, identifier, text."""

import re

from tasks.lake.contracts.inputs import NULLS

NULL_TOKENS = frozenset(
    ("", *NULLS, "-", "?", "#n/a", "nat", "nil", "unknown", "undefined", "missing", "n.a.")
)
"""What stands for a missing value in files of many makers, in lower case: what a run takes for
missing, and words that only hint at it."""

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_GROUPED = re.compile(r"[+-]?\d{1,3}([,. \u00a0\u202f\u2009'])\d{3}(\1\d{3})*([.,]\d+)?")
_DECIMAL = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_CLOCK = r"((T|,? )\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([AaPp][Mm])?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?"
_DATE = re.compile(
    rf"(\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}){_CLOCK}"
    r"|([A-Za-z]{3} )?[A-Za-z]{3,9}\.? \d{1,2},? (\d{2}:\d{2}:\d{2} [+-]\d{4} )?\d{4}"
    r"|\d{1,2} [A-Za-z]{3,9}\.?,? \d{4}(,? \d{1,2}:\d{2}(:\d{2})?)?|\d{1,2} \d{1,2}, \d{4}"
)
_URL = re.compile(r"(https?|ftp|spotify)://?\S+|spotify:\w+:\w+|www\.\S+")
_HEX = re.compile(r"[0-9a-fA-F]{16,64}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WORD = re.compile(r"[^\W_][\w.:@/-]*")
_BOOLEANS = frozenset(("true", "false", "yes", "no", "t", "f", "y", "n"))


def is_null(value: str) -> bool:
    """Tell whether a value stands for nothing."""
    return value.strip().lower() in NULL_TOKENS


def is_boolean(value: str) -> bool:
    """Tell whether a value is a truth value in words."""
    return value.lower() in _BOOLEANS


def shape(value: str) -> str:
    """Return integer, decimal, comma, grouped, date, url, hex, list, word, text or mixed."""
    if _INTEGER.fullmatch(value):
        return "integer"
    if _DECIMAL.fullmatch(value):
        return "decimal"
    if _DECIMAL_COMMA.fullmatch(value):
        return "comma"
    if _GROUPED.fullmatch(value):
        return "grouped"
    if _DATE.fullmatch(value):
        return "date"
    if _URL.fullmatch(value):
        return "url"
    if _HEX.fullmatch(value):
        return "hex"
    if value[:1] in "[{" and value[-1:] in "]}":
        return "list"
    if _WORD.fullmatch(value):
        return "word"
    return "text" if value[:1].isprintable() and value[:1] not in ";|\t,:" else "mixed"
