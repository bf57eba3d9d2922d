"""Which columns describe a track: title, creators, tags, genre, year and features."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from tasks.dataset.detect.decision import Decision
from tasks.dataset.detect.names import (
    ARTIST,
    AUDIENCE,
    COUNT,
    CREATOR,
    DURATION,
    GENRE,
    IMAGE,
    ITEM,
    RATING,
    TAGS,
    TITLE,
    URL,
    YEAR,
    has,
    is_id_name,
    words,
)
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.detect.table import Table
from tasks.dataset.detect.values import Column, Kind, to_number

_LABEL_NUMBERS = frozenset(("key", "mode", "time_signature", "timesignature"))
_PLURAL = re.compile(
    r"(artists|authors|creators|directors|writers|developers|publishers|composers)$"
)
_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
_KINDS = frozenset(("type", "group", "class", "family", "section", "department", "aisle", "colour",
                    "color"))  # fmt: skip
"""Words in names of columns that say of which kind a track is, such as `product_type_name`."""
_PREVIEW = frozenset(("preview", "sample", "mp3", "audio"))
_AUDIO = re.compile(r"mp3|audio|\.(m4a|aac|ogg|oga|opus|flac|wav)\b", re.IGNORECASE)


def content_decisions(table: Table, taken: Sequence[str]) -> list[Decision]:
    """Propose the optional fields of the catalogue from its columns, each used once."""
    left = [c for c in table.columns if c.name not in taken and c.kind is not Kind.EMPTY]
    decisions: list[Decision] = []

    def take(found: Decision | None) -> None:
        if found is None:
            return
        decisions.append(found)
        used = found.value["column"] if isinstance(found.value, dict) else found.value
        left[:] = [column for column in left if column.name != used]

    released = _released(left)
    for propose in (_title, _creator, _year, _tags, _genre, _preview, _cover, _spotify):
        take(propose(left))
    take(released)  # the year may be of the same column
    decisions += _features(left)
    return decisions


def _pick(
    columns: Iterable[Column], score: Callable[[Column], float]
) -> tuple[Column | None, list[Column], float]:
    """Return the best column above zero, the others above zero, and the margin between the two."""
    scored = sorted(
        ((score(c), -i, c) for i, c in enumerate(columns)), key=lambda t: (-t[0], -t[1])
    )
    good = [(value, column) for value, _, column in scored if value > 0]
    if not good:
        return None, [], 0.0
    margin = good[0][0] - (good[1][0] if len(good) > 1 else 0.0)
    return good[0][1], [column for _, column in good[1:]], margin


def title_score(column: Column) -> float:
    """Return how much a column looks like the title of a track; 0 if not."""
    if column.kind not in (Kind.TEXT, Kind.LIST, Kind.INTEGER, Kind.DATE) or is_id_name(
        column.name
    ):
        return 0.0
    if not has(column.name, TITLE) and not has(column.name, ITEM):
        return 0.0
    if has(column.name, IMAGE | URL | GENRE | COUNT | YEAR | DURATION):
        return 0.0
    found = words(column.name)
    score = 0.5 * column.uniqueness + 0.3 * has(column.name, TITLE) + 0.3 * column.filled
    score += 0.5 * (found in (("title",), ("name",)))
    score += 0.5 * (has(column.name, TITLE) and has(column.name, ITEM))
    if has(column.name, ARTIST | CREATOR) and not has(column.name, ITEM):
        score -= 0.8
    if has(column.name, frozenset(("album", "playlist", "original", "file", "short", "english"))):
        score -= 0.4
    if has(column.name, _KINDS):
        score -= 0.8
    return max(0.0, score - 0.3 * (column.kind is not Kind.TEXT))


def _title(columns: Sequence[Column]) -> Decision | None:
    best, others, margin = _pick(columns, title_score)
    if best is None:
        texts = [
            c for c in columns if c.kind is Kind.TEXT and c.uniqueness > 0.5 and c.filled > 0.8
        ]
        texts = [
            c for c in texts if not is_id_name(c.name) and not c.name.startswith(("link", "url"))
        ]
        if not texts or not texts[0].name.startswith("column_"):
            return None
        return Decision("tracks.title", texts[0].name, Sureness.LIKELY, "text that differs by row",
                        tuple(c.name for c in texts[1:]))  # fmt: skip
    sure = Sureness.SURE if margin > 0.3 else Sureness.LIKELY if margin > 0.05 else Sureness.GUESS
    return Decision(
        "tracks.title", best.name, sure, f"by its name; {_examples(best)}",
        tuple(column.name for column in others),
    )  # fmt: skip


def creator_score(column: Column) -> float:
    """Return how much a column looks like who made a track; 0 if not."""
    if column.kind not in (Kind.TEXT, Kind.LIST) or (
        column.distinct < 2 and column.count > 50 and not has(column.name, ARTIST)
    ):
        return 0.0
    if column.kind is Kind.LIST and (column.key or not column.parts):
        return 0.0  # objects without a name
    strength = 0.0
    if has(column.name, ARTIST):
        strength = 1.0
    elif has(column.name, CREATOR):
        order = ("author", "authors", "creator", "creators", "director", "directors", "brand",
                 "store", "composer", "developer", "developers", "studio", "studios")  # fmt: skip
        found = next(
            (i for i, word in enumerate(order) if has(column.name, frozenset((word,)))), 20
        )
        strength = 0.9 - 0.03 * found
    if not strength or has(column.name, IMAGE | URL | GENRE | COUNT | TAGS):
        return 0.0
    strength -= 0.5 * is_id_name(column.name)
    return max(0.0, strength * (0.3 + 0.7 * column.filled))


def _creator(columns: Sequence[Column]) -> Decision | None:
    best, others, margin = _pick(columns, creator_score)
    if best is None:
        return None
    return creator_decision("tracks.creator", best, others, margin)


def creator_decision(field: str, best: Column, others: Sequence[Column], margin: float) -> Decision:
    """Propose a creator, as a list where the cells hold one."""
    sure = Sureness.SURE if margin > 0.25 else Sureness.LIKELY
    value: Any = best.name
    reason = f"by its name; {_examples(best)}"
    if best.kind is Kind.LIST:
        if best.list_syntax in ("json", "python", "native"):
            value = _list_value(best)
            reason = f"several in a cell; {_examples(best)}"
        elif _PLURAL.search(best.name.lower()) or best.list_syntax in (";", "|"):
            value = _list_value(best)
            sure = Sureness.LIKELY if best.list_syntax in (";", "|") else Sureness.GUESS
            reason = f"several in a cell between `{best.list_syntax}`; {_examples(best)}"
        else:
            sure = sure & Sureness.LIKELY
            reason += f"; names with `{best.list_syntax.strip()}` are kept whole"
    return Decision(field, value, sure, reason, tuple(column.name for column in others))


def _list_value(column: Column) -> dict[str, str]:
    syntax = "json" if column.list_syntax == "native" else column.list_syntax
    return {"column": column.name, "list": syntax} | ({"key": column.key} if column.key else {})


def _year(columns: Sequence[Column]) -> Decision | None:
    def score(column: Column) -> float:
        if has(column.name, COUNT | RATING | IMAGE | frozenset(("updated", "added", "modified"))):
            return 0.0
        named = has(column.name, YEAR)
        if column.kind is Kind.DATE and named:
            return 0.7 + 0.3 * column.filled
        if column.kind in (Kind.INTEGER, Kind.DECIMAL) and _are_years(column):
            made_up = column.name.startswith("column_")
            bonus = 0.5 * ("year" in words(column.name)) - 0.2 * has(column.name, _ORIGINAL)
            return (
                1.0 + bonus if named else 0.3 if made_up and column.low > 1800 else 0.0
            ) * column.filled
        return 0.0

    best, others, margin = _pick(columns, score)
    if best is None:
        return None
    sure = Sureness.SURE if margin > 0.4 and has(best.name, YEAR) else Sureness.LIKELY
    what = "dates, whose year is taken" if best.kind is Kind.DATE else "years"
    return Decision("tracks.year", best.name, sure, f"{what}; {_examples(best)}",
                    tuple(column.name for column in others))  # fmt: skip


_ORIGINAL = frozenset(("last", "end", "birth"))
_DAY = re.compile(r"\d{4}([-/.]\d{1,2}){0,2}([T ]\d.*)?|([A-Za-z]{3,9}|\d{1,2} [A-Za-z]{3,9})\b.*")
"""Days of release as the ingest reads them: year first, or with the month's name."""


def _released(columns: Sequence[Column]) -> Decision | None:
    def score(column: Column) -> float:
        if column.kind is not Kind.DATE or not has(column.name, YEAR):
            return 0.0
        if has(column.name, _ORIGINAL | frozenset(("updated", "added", "modified"))):
            return 0.0
        known = [value.strip() for value in column.values if value and value.strip()]
        readable = sum(_DAY.fullmatch(value) is not None for value in known)
        return column.filled if readable > 0.95 * len(known) else 0.0

    best, others, _ = _pick(columns, score)
    if best is None:
        return None
    return Decision("tracks.released", best.name, Sureness.LIKELY,
                    f"days of release; {_examples(best)}",
                    tuple(column.name for column in others))  # fmt: skip


def _are_years(column: Column) -> bool:
    numbers = [to_number(value) for value in column.values[:2000] if value]
    real = [number for number in numbers if number]  # 0 stands for unknown
    good = sum(1000 <= number <= 2100 for number in real)
    return bool(real) and good > 0.9 * len(real)


def _tags(columns: Sequence[Column]) -> Decision | None:
    def score(column: Column) -> float:
        strength = 0.0
        if has(column.name, TAGS):
            strength = 1.0
        elif has(column.name, GENRE):
            strength = 0.8
        if column.kind is Kind.LIST:
            return strength or (0.35 if column.name.startswith("column_") else 0.0)
        if column.kind is Kind.OBJECT:
            return 0.0
        plural = words(column.name)[-1:] in (("tags",), ("keywords",), ("genres",), ("categories",))
        if not strength or not plural or column.kind is not Kind.TEXT:
            return 0.0
        return 0.6 * strength

    best, others, margin = _pick(columns, score)
    if best is None:
        return None
    sure = Sureness.SURE if margin > 0.15 and has(best.name, TAGS | GENRE) else Sureness.LIKELY
    alternatives = tuple(column.name for column in others)
    if best.kind is not Kind.LIST:
        value = {"column": best.name, "separator": ","}
        return Decision(
            "tracks.tags",
            value,
            sure & Sureness.LIKELY,
            f"one tag in a cell as far as seen; {_examples(best)}",
            alternatives,
        )
    reason = f"{best.parts:,} different tags; {_examples(best)}"
    if best.list_syntax in ("json", "python", "native"):
        return Decision("tracks.tags", _list_value(best), sure, reason, alternatives)
    return Decision(
        "tracks.tags",
        {"column": best.name, "separator": best.list_syntax.strip() or best.list_syntax},
        sure,
        reason,
        alternatives,
    )


def _genre(columns: Sequence[Column]) -> Decision | None:
    def score(column: Column) -> float:
        if not has(column.name, GENRE) or is_id_name(column.name):
            return 0.0
        if column.kind is Kind.LIST:
            return 0.7
        if column.kind is not Kind.TEXT or (column.distinct > 500 and column.uniqueness > 0.3):
            return 0.0
        exact = any(word in ("genre", "genres") for word in words(column.name))
        return 0.8 + 0.3 * exact

    best, others, margin = _pick(columns, score)
    if best is None:
        return None
    sure = Sureness.SURE if margin > 0.2 else Sureness.LIKELY
    value: Any = best.name
    if best.kind is Kind.LIST:
        value = _list_value(best)
    return Decision("tracks.genre", value, sure, f"{best.distinct:,} labels; {_examples(best)}",
                    tuple(column.name for column in others))  # fmt: skip


def _preview(columns: Sequence[Column]) -> Decision | None:
    """Propose links to audio; those to a page about a track are none."""

    def score(column: Column) -> float:
        if column.kind is not Kind.URL:
            return 0.0
        if has(column.name, IMAGE) or any(_is_image(value) for value in column.examples):
            return 0.0
        if all(_AUDIO.search(value) for value in column.examples):
            return 1.0
        return 0.4 if has(column.name, _PREVIEW) else 0.0

    best, others, _ = _pick(columns, score)
    if best is None:
        return None
    sure, reason = Sureness.SURE, "links to audio"
    if score(best) < 1:
        sure, reason = Sureness.GUESS, "by its name, but the links do not look like audio"
    return Decision("tracks.preview_url", best.name, sure, f"{reason}; {_examples(best)}",
                    tuple(column.name for column in others))  # fmt: skip


def _cover(columns: Sequence[Column]) -> Decision | None:
    """Propose links to pictures."""

    def score(column: Column) -> float:
        if column.kind is not Kind.URL:
            return 0.0
        if all(_is_image(value) for value in column.examples):
            return 1.0
        return 0.4 if has(column.name, IMAGE) else 0.0

    best, others, _ = _pick(columns, score)
    if best is None:
        return None
    sure, reason = Sureness.SURE, "links to pictures"
    if score(best) < 1:
        sure, reason = Sureness.LIKELY, "by its name"
    return Decision("tracks.cover_url", best.name, sure, f"{reason}; {_examples(best)}",
                    tuple(column.name for column in others))  # fmt: skip


def _is_image(value: str) -> bool:
    return value.lower().split("?")[0].endswith((".jpg", ".jpeg", ".png", ".gif", ".webp"))


def _spotify(columns: Sequence[Column]) -> Decision | None:
    for column in columns:
        found = words(column.name)
        if "spotify" not in found or not is_id_name(column.name):
            continue
        if all(_SPOTIFY_ID.fullmatch(value.rpartition(":")[2]) for value in column.examples):
            return Decision("tracks.spotify_id", column.name, Sureness.SURE, _examples(column))
    return None


def _features(columns: Sequence[Column]) -> list[Decision]:
    numeric = [column.name for column in columns if _is_numeric_feature(column)]
    labels = [column.name for column in columns if _is_label_feature(column)]
    decisions: list[Decision] = []
    if numeric:
        decisions.append(
            Decision("tracks.numeric", numeric, Sureness.LIKELY, "numbers that describe the tracks")
        )
    if labels:
        decisions.append(
            Decision("tracks.categorical", labels, Sureness.LIKELY, "labels that recur")
        )
    return decisions


def _is_numeric_feature(column: Column) -> bool:
    if column.kind is Kind.BOOLEAN and column.distinct == 2:
        return True
    if not column.is_number or column.distinct < 2:
        return False
    if is_id_name(column.name) and column.name.lower() not in _LABEL_NUMBERS:
        return False
    if column.name.lower() in _LABEL_NUMBERS or _is_row_number(column):
        return False
    # How many people rated or follow a track says nothing of what it is like.
    return not (column.name.lower() in AUDIENCE or has(column.name, COUNT | frozenset(("isbn",))))


_ROW_NUMBERS = frozenset(
    ("", "index", "level_0", "row", "unnamed: 0", "__index_level_0__", "column_1", "x", "rank", "#")
)


def _is_row_number(column: Column) -> bool:
    if column.kind is not Kind.INTEGER or column.distinct < column.count:
        return False
    numbers = [to_number(value) for value in column.values[:100] if value]
    steps = {b - a for a, b in pairwise(numbers) if a is not None and b is not None}
    named = column.name.lower() in _ROW_NUMBERS
    return steps == {1.0} and named


def _is_label_feature(column: Column) -> bool:
    if column.name.lower() in _LABEL_NUMBERS:
        return column.distinct > 1
    if column.kind is not Kind.TEXT or is_id_name(column.name):
        return False
    if has(column.name, URL | IMAGE | TITLE | frozenset(("description", "text", "summary"))):
        return False
    return column.is_label(100)


def _examples(column: Column) -> str:
    shown = [value if len(value) <= 40 else value[:39] + "…" for value in column.examples[:3]]
    return "for example " + ", ".join(shown)
