"""Cells of the catalogue: text in its normal form, numbers, years, labels, and lists in a cell."""

import ast
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.dataset.files import FilesSpec
from tasks.ingest.release_dates import release_day
from tasks.lake.contracts.inputs import INPUT_FEATURES, NULLS, NUMBER, NUMBER_NULLS

_YES, _NO = ("true", "t", "yes", "y"), ("false", "f", "no", "n")
_KEYS = ("name", "id", "uri", "title", "track_uri", "track_id", "value")
"""Keys under which an object in a list has its value, the first that is there."""
_SHOWN = 3
_LONGEST_SHOWN = 40
# `pa.scalar` would import pandas, which a run of unchanged inputs does not need.
_TEXT = pa.nulls(1, pa.string())[0]
_FLOAT = pa.nulls(1, pa.float64())[0]


@dataclass
class Findings:
    """What was noticed in a column's values: column → count, and examples."""

    unreadable: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    like_nulls: Counter[str] = field(default_factory=Counter)
    like_lists: Counter[str] = field(default_factory=Counter)
    examples: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """(kind, column) → a few values."""

    def add(self, kind: str, column: str, values: pa.ChunkedArray | pa.Array, mask: Any) -> None:
        """Count the values under a mask."""
        mask = pc.fill_null(mask, False)
        count = int(pc.sum(mask).as_py() or 0)
        if not count:
            return
        getattr(self, kind)[column] += count
        shown = pc.unique(values.filter(mask)).slice(0, _SHOWN).to_pylist()
        self.examples.setdefault((kind, column), tuple(str(one)[:_LONGEST_SHOWN] for one in shown))

    def table(self, kind: str) -> pa.Table:
        """Return what a check looks at: column, rows, examples."""
        found: Mapping[str, int] = getattr(self, kind)
        return pa.table(
            {
                "column": pa.array(list(found), pa.string()),
                "rows": pa.array(list(found.values()), pa.int64()),
                "examples": pa.array(
                    [", ".join(map(repr, self.examples[kind, name])) for name in found],
                    pa.string(),
                ),
            }
        )


@dataclass(frozen=True)
class Cells:
    """Reads the cells of a catalogue as its description says, and notes what it finds."""

    spec: FilesSpec
    findings: Findings
    longest: int

    def missing(self, column: pa.Array, tokens: Sequence[str]) -> pa.Array:
        """Tell which values are null tokens or blank."""
        lower = pc.utf8_lower(pc.utf8_trim_whitespace(column))
        extended = [*tokens, "", *(token.strip().lower() for token in self.spec.nulls)]
        return pc.is_in(lower, value_set=pa.array(extended))

    def name(self, column_name: str, column: pa.Array) -> pa.Array:
        """Read a title or creator: null tokens stay, since bands have such names."""
        text = self._composed(column_name, column)
        self.findings.add("like_nulls", column_name, text, self.missing(text, NULLS))
        return text

    def text(self, column_name: str, column: pa.Array) -> pa.Array:
        """Read an optional text."""
        text = self._composed(column_name, column)
        return pc.if_else(self.missing(text, NULLS), _TEXT, text)

    def _composed(self, column_name: str, column: pa.Array) -> pa.Array:
        """Return NFC text, blank as missing, cut to the longest length believed."""
        text = pc.utf8_normalize(column, form="NFC")
        long = pc.greater(pc.utf8_length(text), self.longest)
        if pc.any(long).as_py():
            self.findings.add("cut", column_name, text, long)
            text = pc.if_else(long, pc.utf8_slice_codeunits(text, 0, self.longest), text)
        self.findings.add("like_lists", column_name, text, _looks_like_list(text))
        return pc.if_else(pc.equal(pc.utf8_trim_whitespace(text), ""), _TEXT, text)

    def label(self, feature: str, column: pa.Array) -> pa.Array:
        """Read a categorical value: a string, ``5.0`` and ``5`` the same."""
        label = pc.utf8_trim_whitespace(self.text(feature, column))
        label = pc.replace_substring_regex(label, r"^([+-]?\d+)\.0*$", r"\1")
        known = INPUT_FEATURES.get(feature)
        if known is not None and known.zero_is_unknown:
            label = pc.if_else(pc.equal(label, "0"), _TEXT, label)
        return label

    def number(self, feature: str, column: pa.Array) -> pa.Array:
        """Read float64, true and false as 1 and 0; null where the text is no finite number."""
        values = self._numbers(column)
        lower = pc.utf8_lower(pc.utf8_trim_whitespace(column))
        for words, value in ((_YES, 1.0), (_NO, 0.0)):
            said = pc.fill_null(pc.is_in(lower, value_set=pa.array(words)), False)
            values = pc.if_else(said, pa.scalar(value), values)
        self._note_unreadable(feature, column, values)
        return without_placeholders(feature, values)

    def year(self, column_name: str, column: pa.Array) -> pa.Array:
        """Read int16 years from numbers, dates and timestamps."""
        values = self._numbers(column)
        compact = pc.match_substring_regex(column, r"^\s*[12]\d{7}\s*$")  # 19991231
        values = pc.if_else(pc.fill_null(compact, False), pc.divide(values, 10_000.0), values)
        dated = pc.extract_regex(column, r"(?:^|[^0-9])(?P<year>[12][0-9]{3})(?:$|[^0-9])")
        from_date = pc.struct_field(dated, "year").cast(pa.float64())
        shaped = pc.match_substring_regex(
            column, r"[12][0-9]{3}[-/.][0-9]{1,2}|[-/. ,][12][0-9]{3}$|\([12][0-9]{3}\)"
        )
        values = pc.if_else(pc.and_(pc.is_null(values), shaped), from_date, values)
        self._note_unreadable(column_name, column, values)
        return pc.floor(without_placeholders("year", values)).cast(pa.int16())

    def released(self, column_name: str, column: pa.Array) -> pa.Array:
        """Read date32 days of release; null where the text is no date, month or year."""
        coded = column.dictionary_encode()
        days = [None if one is None else release_day(one) for one in coded.dictionary.to_pylist()]
        values = pa.array(days, pa.date32()).take(coded.indices)
        self._note_unreadable(column_name, column, values)
        year = without_placeholders("year", pc.year(values).cast(pa.float64()))
        return pc.if_else(year.is_valid(), values, pa.scalar(None, pa.date32()))

    def _numbers(self, column: pa.Array) -> pa.Array:
        if self.spec.thousands:
            column = pc.replace_substring(column, self.spec.thousands, "")
        if self.spec.decimal != ".":
            column = pc.replace_substring(column, self.spec.decimal, ".")
        matches = pc.match_substring_regex(column, rf"^\s*{NUMBER}\s*$")
        digits = pc.utf8_ltrim(pc.utf8_trim_whitespace(column), characters="+")
        values = pc.if_else(matches, digits, _TEXT).cast(pa.float64())
        return pc.if_else(pc.is_finite(values), values, _FLOAT)

    def _note_unreadable(self, name: str, column: pa.Array, values: pa.Array) -> None:
        unreadable = pc.and_(pc.is_valid(column), pc.is_null(values))
        wrong = pc.and_not(unreadable, self.missing(column, NUMBER_NULLS))
        self.findings.add("unreadable", name, column, wrong)

    def lists(
        self, column_name: str, column: pa.Array, way: str, key: str | None, tokens: bool = True
    ) -> pa.ListArray:
        """Read lists: trimmed NFC values in order, without repeats, blanks or null tokens."""
        if not pa.types.is_string(column.type):
            lists = _as_text_lists(column, key)
        elif way in ("json", "python"):
            lists, readable = split_literals(column, key)
            blank = self.missing(column, NULLS)
            wrong = pc.and_not(pc.and_not(pc.is_valid(column), blank), readable)
            self.findings.add("unreadable", column_name, column, wrong)
        else:
            self.findings.add("like_lists", column_name, column, _looks_like_list(column))
            lists = pc.split_pattern(column, way)
        flat = pc.utf8_trim_whitespace(lists.flatten().fill_null(""))
        flat = pc.utf8_normalize(flat, form="NFC")
        long = pc.greater(pc.utf8_length(flat), self.longest)
        if pc.any(long).as_py():
            self.findings.add("cut", column_name, flat, long)
            flat = pc.if_else(long, pc.utf8_slice_codeunits(flat, 0, self.longest), flat)
        blank = self.missing(flat, NULLS) if tokens else pc.equal(flat, "")
        row = pc.list_parent_indices(lists).to_numpy().astype(np.int64)
        return gathered(row, flat, len(column), pc.invert(blank))


def _looks_like_list(column: pa.Array) -> pa.Array:
    """Tell which texts are in brackets and hold a quote, a comma or an object."""
    return pc.match_substring_regex(column, r"^\s*\[.*[,'\"{].*\]\s*$")


def without_placeholders(feature: str, values: pa.Array) -> pa.Array:
    """Turn the values that stand for unknown in a column of that name into nulls."""
    known = INPUT_FEATURES.get(feature)
    if known is None:
        return values
    unknown = known.stands_for_unknown(values.to_numpy(zero_copy_only=False).astype(np.float64))
    return pc.if_else(pa.array(unknown), _FLOAT, values)


def gathered(row: NDArray[np.int64], flat: pa.Array, rows: int, kept: pa.Array) -> pa.ListArray:
    """Return the list of each row from its values in order, without repeats; empty ones null."""
    order = np.argsort(row, kind="stable")
    if (row[1:] < row[:-1]).any():
        row, flat, kept = row[order], flat.take(pa.array(order)), kept.take(pa.array(order))
    coded = flat.dictionary_encode()
    pair = row * max(1, len(coded.dictionary)) + coded.indices.to_numpy()
    first = np.zeros(len(pair), np.bool_)
    first[np.unique(pair, return_index=True)[1]] = True
    first &= kept.to_numpy(zero_copy_only=False)
    counts = np.bincount(row[first], minlength=rows)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    values = flat.filter(pa.array(first))
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(counts == 0))


def split_literals(column: pa.Array, key: str | None) -> tuple[pa.ListArray, pa.Array]:
    """Read cells that hold JSON or Python lists; tell which could be read."""
    coded = column.dictionary_encode()
    found = [_literal(text, key) for text in coded.dictionary.to_pylist()]
    lists = pa.array(found, pa.list_(pa.string())).take(coded.indices)
    readable = pa.array([one is not None for one in found], pa.bool_()).take(coded.indices)
    return lists, readable.fill_null(False)


def _literal(text: str, key: str | None) -> list[str] | None:
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
        if isinstance(value, list | tuple | set | frozenset):
            values = sorted(value, key=str) if isinstance(value, set | frozenset) else value
            return [one for item in values if (one := _item(item, key)) is not None]
        one = _item(value, key)
        return [] if one is None else [one]
    return None


def _item(value: Any, key: str | None) -> str | None:
    if isinstance(value, Mapping):
        keys = (key,) if key else _KEYS
        value = next((value[one] for one in keys if one in value), None)
    if value is None:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _as_text_lists(column: pa.Array, key: str | None) -> pa.ListArray:
    """Return Parquet's lists with text for values."""
    if pa.types.is_struct(column.type.value_type):
        rows = [
            None if row is None else [_item(item, key) for item in row]
            for row in column.to_pylist()
        ]
        return pa.array(rows, pa.list_(pa.string()))
    return column.cast(pa.list_(pa.string()))
