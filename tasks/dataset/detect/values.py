"""What a column holds: its kind, its lists, its scale, what stands for a missing value."""

import ast
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from tasks.dataset.detect.names import DURATION, ITEM, TIME, USER, has, is_id_name
from tasks.dataset.detect.shapes import is_boolean, is_null, shape

LOOKED_AT = 4_000
"""Values of a column whose kind is looked at, evenly from all sampled."""

OBJECT_KEYS = ("name", "id", "uri", "title", "track_uri", "track_id", "value")
"""Keys of the value of an object in a list, in the order in which a run looks for them."""

_SEPARATORS = ("|", ";", " / ", "/", " & ", ",", "~", "^", "::", "\t", "+")
_NULLS_OF_THE_READER = frozenset(
    ("", "na", "n/a", "nan", "null", "none", "\\n", "-", "?", "[]", "(no genres listed)")
)


class Kind(Enum):
    """Kinds of columns."""

    EMPTY = "empty"
    INTEGER = "whole numbers"
    DECIMAL = "numbers"
    BOOLEAN = "true or false"
    DATE = "dates"
    EPOCH = "seconds since 1970"
    EPOCH_MS = "milliseconds since 1970"
    EPOCH_US = "microseconds since 1970"
    EPOCH_NS = "nanoseconds since 1970"
    URL = "links"
    LIST = "lists"
    OBJECT = "objects"
    TEXT = "text"


EPOCHS = {Kind.EPOCH: "s", Kind.EPOCH_MS: "ms", Kind.EPOCH_US: "us", Kind.EPOCH_NS: "ns"}
"""Numbers that count from 1970 on, and their units."""


@dataclass(frozen=True, eq=False)  # compared by identity: samples are large
class Column:
    """A column as the sample shows it."""

    name: str
    kind: Kind
    count: int
    """Values that are there."""
    rows: int
    distinct: int
    values: Sequence[str | None] = field(repr=False)
    """All sampled values, None where missing."""
    examples: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    list_syntax: str = ""
    """``json``, ``python``, ``native`` or the separator, for lists."""
    list_items: float = 0.0
    """Average items of a list."""
    parts: int = 0
    """Distinct items of the lists looked at."""
    decimal: str = "."
    thousands: str = ""
    odd_nulls: tuple[str, ...] = ()
    """Tokens for missing values that the reader does not know by itself."""
    unreadable: int = 0
    """Values that are not of the kind."""
    is_native_time: bool = False
    """Whether the file itself says that it holds moments (Parquet)."""
    key: str = ""
    """Key of the value in lists of objects, where the reader does not find it by itself."""

    @property
    def filled(self) -> float:
        """Share of rows with a value."""
        return self.count / self.rows if self.rows else 0.0

    @property
    def uniqueness(self) -> float:
        """Distinct values per value."""
        return self.distinct / self.count if self.count else 0.0

    @property
    def is_number(self) -> bool:
        """Tell whether the column holds numbers."""
        return self.kind in (Kind.INTEGER, Kind.DECIMAL)

    @property
    def is_time(self) -> bool:
        """Tell whether the column holds moments."""
        return self.kind is Kind.DATE or self.kind in EPOCHS

    def is_label(self, most: int = 300) -> bool:
        """Tell whether few values recur, as labels do."""
        return 1 < self.distinct <= most and self.count >= 3 * self.distinct


def describe_column(
    name: str, values: Sequence[str | None], native: str = "", decimal_hint: str = ""
) -> Column:
    """Describe a column from its sampled values; ``native`` is the file's own type, if any."""
    nulls = {value for value in set(values) if value is None or is_null(value)}
    present = [value for value in values if value is not None and value not in nulls]
    base = {
        "name": name,
        "count": len(present),
        "rows": len(values),
        "distinct": len(set(present)),
        "values": values,
        "examples": tuple(dict.fromkeys(present[:50]))[:3],
        "is_native_time": native == "time",
    }
    if not present:
        return Column(kind=Kind.EMPTY, **base)  # type: ignore[arg-type]
    looked = _evenly([value.strip() for value in present])
    found = _kind(name, looked, native, decimal_hint)
    if found.get("kind") in (Kind.INTEGER, Kind.DECIMAL, Kind.DATE):
        found["odd_nulls"] = _odd_nulls(values)
    elif found.get("kind") in (Kind.TEXT, Kind.LIST):
        found["odd_nulls"] = ()
    return Column(**base, **found)  # type: ignore[arg-type]


def _evenly(values: Sequence[str]) -> Sequence[str]:
    step = -(-len(values) // LOOKED_AT)
    return values[::step]


def _kind(name: str, values: Sequence[str], native: str, decimal_hint: str) -> dict[str, object]:
    if native == "list":
        return {"kind": Kind.LIST, **_list_facts("json", values), "list_syntax": "native"}
    if native == "object":
        return {"kind": Kind.OBJECT}
    shapes = Counter(map(shape, values))
    total = len(values)
    numeric = shapes["integer"] + shapes["decimal"] + shapes["comma"] + shapes["grouped"]
    if numeric > 0.9 * total:
        return _number(name, values, shapes, decimal_hint, total - numeric)
    if shapes["date"] > 0.9 * total or native == "time":
        return {"kind": Kind.DATE, "unreadable": total - shapes["date"] if not native else 0}
    truths = {value.lower() for value in values}
    if all(map(is_boolean, truths)) and (len(truths) == 2 or truths <= {"true", "false"}):
        return {"kind": Kind.BOOLEAN}
    if shapes["url"] > 0.9 * total:
        return {"kind": Kind.URL}
    if shapes["list"] > 0.8 * total:
        syntax = _bracket_syntax(values)
        if syntax == "object":
            return {"kind": Kind.OBJECT}
        if syntax:
            return {"kind": Kind.LIST, **_list_facts(syntax, values)}
    separator = _separator(values)
    if separator:
        return {"kind": Kind.LIST, **_list_facts(separator, values)}
    return {"kind": Kind.TEXT}


def _number(
    name: str, values: Sequence[str], shapes: Counter[str], decimal_hint: str, unreadable: int
) -> dict[str, object]:
    decimal, thousands = ".", ""
    if shapes["comma"] or shapes["grouped"]:
        decimal, thousands = _marks(values, shapes, decimal_hint)
    numbers = [
        n for n in (to_number(value, decimal, thousands) for value in values) if n is not None
    ]
    whole = all(number.is_integer() for number in numbers)
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    kind = Kind.INTEGER if whole else Kind.DECIMAL
    # 1990 to 2096; ids of as many digits are rarely this close together.
    may_be_time = not (is_id_name(name) or has(name, USER | ITEM) or has(name, DURATION))
    may_be_time &= whole or has(name, TIME)
    if may_be_time and low > 6e8 and high < 4e9 and high < 1.6 * low + 1e9:
        kind = Kind.EPOCH
    elif may_be_time and low > 6e11 and high < 4e12:
        kind = Kind.EPOCH_MS
    elif may_be_time and low > 6e14 and high < 4e15:
        kind = Kind.EPOCH_US
    elif may_be_time and low > 6e17 and high < 4e18:
        kind = Kind.EPOCH_NS
    return {
        "kind": kind, "low": low, "high": high, "decimal": decimal, "thousands": thousands,
        "unreadable": unreadable,
    }  # fmt: skip


def _marks(values: Sequence[str], shapes: Counter[str], hint: str) -> tuple[str, str]:
    """Decide which mark is the decimal one and which groups thousands."""
    several = [v for v in values if shape(v) in ("comma", "grouped")]
    both = [v for v in several if "," in v and "." in v]
    if both:
        return (",", ".") if both[0].rfind(",") > both[0].rfind(".") else (".", ",")
    if shapes["comma"]:
        # A comma before other than three digits cannot group; beside 1.5 it can be no decimal mark.
        loose = [v for v in several if "," in v and len(v.rpartition(",")[2]) != 3]
        if loose:
            return ",", "." if any("." in v for v in several) else ""
        return (".", ",") if shapes["decimal"] or hint != "," else (",", "")
    mark = next((m for m in ", \u00a0\u202f\u2009'." if any(m in v for v in several)), "")
    return (",", ".") if mark == "." else (".", mark)


def to_number(value: str, decimal: str = ".", thousands: str = "") -> float | None:
    """Read a number, None if it is none."""
    text = value.replace(thousands, "") if thousands else value
    try:
        return float(text.replace(decimal, ".") if decimal != "." else text)
    except ValueError:
        return None


def _odd_nulls(values: Sequence[str | None]) -> tuple[str, ...]:
    tokens = sorted({value.strip() for value in set(values) if value and is_null(value)})
    return tuple(token for token in tokens if token.lower() not in _NULLS_OF_THE_READER)


def _bracket_syntax(values: Sequence[str]) -> str:
    """Tell JSON lists from Python literals; ``object`` for what holds no list."""
    verdicts: Counter[str] = Counter()
    for value in values[:200]:
        if value[:1] == "{":
            verdicts["object"] += 1
            continue
        try:
            verdicts["json" if isinstance(json.loads(value), list) else "object"] += 1
        except ValueError:
            try:
                literal = ast.literal_eval(value)
                verdicts["python" if isinstance(literal, list | tuple | set) else "object"] += 1
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                verdicts[""] += 1
    if verdicts["python"]:  # some of the lists, as [1, 2], are in both syntaxes
        verdicts["python"] += verdicts.pop("json", 0)
    return verdicts.most_common(1)[0][0]


def split_list(value: str, syntax: str, key: str = "") -> list[str]:
    """Return the items of a list in a cell; of objects the value of ``key``, or the usual one."""
    if syntax in ("json", "python", "native"):
        try:
            items = json.loads(value) if syntax != "python" else ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return []
        items = items if isinstance(items, list | tuple | set) else [items]
        return [_text_of(item, key) for item in items]
    return [item.strip() for item in value.split(syntax) if item.strip()]


def _text_of(item: object, key: str) -> str:
    if isinstance(item, dict):
        keys = (key,) if key else OBJECT_KEYS
        return str(next((item[one] for one in keys if one in item), ""))
    return str(item)


def _key_of(syntax: str, values: Sequence[str]) -> str:
    """Return the key of the ids in lists of objects; "" if it need not be said, or is not there."""
    found: Counter[str] = Counter()
    for value in values[:200]:
        try:
            items = json.loads(value) if syntax == "json" else ast.literal_eval(value)
        except (ValueError, SyntaxError):
            continue
        for item in items if isinstance(items, list | tuple) else ():
            if not isinstance(item, dict):
                return ""
            found.update(key for key, inner in item.items() if isinstance(inner, str | int))
    if not found or any(key in found for key in OBJECT_KEYS):
        return ""
    ids = [key for key in found if is_id_name(key)]
    return max(ids, key=lambda key: (found[key], has(key, ITEM)), default="")


def _list_facts(syntax: str, values: Sequence[str]) -> dict[str, object]:
    key = _key_of(syntax, values) if syntax in ("json", "python") else ""
    lists = [split_list(value, syntax, key) for value in values[:2000]]
    items = [item for one in lists for item in one]
    return {
        "list_syntax": syntax,
        "list_items": len(items) / max(1, len(lists)),
        "parts": len(set(items) - {""}),
        "key": key,
    }


def _separator(values: Sequence[str]) -> str:
    """Return the separator of a column of lists, by how often their parts recur; "" if none."""
    sample = values[:2000]
    best, best_score = "", 0.0
    whole = len(set(sample)) / len(sample)
    for mark in _SEPARATORS:
        with_mark = [value for value in sample if mark in value.strip(mark)]
        if len(with_mark) < max(3, 0.05 * len(sample)):
            continue
        parts = [part.strip() for value in sample for part in value.split(mark)]
        if not all(with_mark) or _are_dates(with_mark):
            continue
        distinct = len(set(parts))
        reuse = len(parts) / distinct
        length = sum(map(len, parts)) / len(parts)
        # Parts of a list recur far more often than the lists themselves do.
        gain = reuse * whole if len(with_mark) > 0.3 * len(sample) else reuse * whole / 2
        few = reuse >= 2 and whole < 0.2 and distinct < len(set(sample))
        bars = mark == "|" and reuse >= 3  # nothing but lists has bars
        if (reuse < 3 or length > 40 or gain < 1.5) and not (few or bars):
            continue
        score = gain * len(with_mark) / len(sample)
        if score > best_score * (1.3 if mark.strip() in best.strip() else 1.0):
            best, best_score = mark, score
    return best


def _are_dates(values: Sequence[str]) -> bool:
    return all(re.fullmatch(r"[\d/.:\s-]+", value) for value in values[:20])
