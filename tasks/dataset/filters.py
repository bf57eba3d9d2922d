"""A filter on rows: a safe subset of SQL conditions, checked before a run.

DuckDB's own parser reads the condition; the tree is then written out again by the rules here, so
that nothing but comparisons, logic, arithmetic and a few functions of text can be asked for.
Values are text until a comparison says what they are: beside a number a column is a number, beside
a date a moment, alone it is a flag.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from warehouse.statements import text_literal

_COMPARISONS = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_DISTINCT_FROM": "IS DISTINCT FROM",
    "COMPARE_NOT_DISTINCT_FROM": "IS NOT DISTINCT FROM",
}
_ARITHMETIC = ("+", "-", "*", "/", "%")
_LIKE = {"~~": "LIKE", "!~~": "NOT LIKE", "~~*": "ILIKE", "!~~*": "NOT ILIKE"}
_OF_TEXT = {
    "lower": "text",
    "upper": "text",
    "trim": "text",
    "length": "number",
    "strlen": "number",
    "starts_with": "flag",
    "ends_with": "flag",
    "contains": "flag",
}
"""Functions of text and the kind of what they give."""
_OF_NUMBERS = ("abs", "round", "floor", "ceil")
_MOMENTS = ("DATE", "TIMESTAMP")

Node = Mapping[str, Any]
Column = Callable[[str, str], str]
"""Gives the SQL of a column for the kind asked for: text, number, flag or moment."""


@dataclass(frozen=True)
class RowFilter:
    """A condition that was understood."""

    text: str
    tree: Node
    columns: tuple[str, ...]
    """The columns it speaks of."""

    @classmethod
    def parse(cls, text: str) -> "RowFilter":
        """Read a condition; raises ValueError with a sentence about what is wrong."""
        with duckdb.connect() as con:
            query = f"SELECT 1 FROM rows WHERE {text}"
            found = json.loads(
                con.execute("SELECT json_serialize_sql(?)", [query]).fetchall()[0][0]
            )
        if found.get("error"):
            raise ValueError(
                f"`where` cannot be read ({found['error_message']}); write a condition like "
                "event = 'play' AND NOT skipped"
            )
        select = found["statements"][0]["node"]
        whole = (
            len(found["statements"]) == 1
            and select.get("type") == "SELECT_NODE"
            and not select.get("modifiers")
            and not any(select.get(part) for part in ("having", "qualify", "sample"))
            and not select.get("group_expressions")
            and select.get("from_table", {}).get("type") == "BASE_TABLE"
        )
        if not whole or not select.get("where_clause"):
            raise ValueError("`where` is more than a condition; write one condition on columns")
        columns: list[str] = []

        def collect(name: str, _kind: str) -> str:
            columns.append(name)
            return "''"

        _Writer(collect).flag(select["where_clause"])
        return cls(text, select["where_clause"], tuple(dict.fromkeys(columns)))

    def sql(self, column: Column) -> str:
        """Write the condition as SQL; ``column`` gives the expression of a column's value."""
        return _Writer(column).flag(self.tree)


@dataclass(frozen=True)
class _Writer:
    """Writes nodes of the tree as SQL of the kind that their place asks for."""

    column: Column

    def flag(self, node: Node) -> str:
        """Write a condition."""
        kind, type_ = node["class"], node["type"]
        if kind == "CONJUNCTION":
            word = " AND " if type_ == "CONJUNCTION_AND" else " OR "
            return "(" + word.join(self.flag(child) for child in node["children"]) + ")"
        if kind == "COMPARISON":
            return self._compared(node["left"], node["right"], _COMPARISONS.get(type_))
        if kind == "BETWEEN":
            low = self._compared(node["input"], node["lower"], ">=")
            high = self._compared(node["input"], node["upper"], "<=")
            return f"({low} AND {high})"
        if kind == "OPERATOR":
            return self._operator(node)
        if kind == "FUNCTION" and node["function_name"] in _LIKE:
            left, right = (self.value(part, "text") for part in _arguments(node))
            return f"({left} {_LIKE[node['function_name']]} {right})"
        return self.value(node, "flag")

    def _operator(self, node: Node) -> str:
        type_, children = node["type"], node["children"]
        if type_ == "OPERATOR_NOT":
            return f"(NOT {self.flag(children[0])})"
        if type_ in ("OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL"):
            word = "IS NULL" if type_ == "OPERATOR_IS_NULL" else "IS NOT NULL"
            return f"({self.value(children[0], 'text')} {word})"
        if type_ in ("COMPARE_IN", "COMPARE_NOT_IN"):
            first, *rest = children
            equal = " OR ".join(self._compared(first, one, "=") for one in rest)
            return f"({equal})" if type_ == "COMPARE_IN" else f"(NOT ({equal}))"
        raise _refused(node)

    def _compared(self, left: Node, right: Node, sign: str | None) -> str:
        if sign is None:
            raise _refused(left)
        kinds = {_kind(left), _kind(right)} - {None}
        kind = "text"
        for one in ("moment", "number", "flag"):
            if one in kinds:
                kind = one
                break
        return f"({self.value(left, kind)} {sign} {self.value(right, kind)})"

    def value(self, node: Node, kind: str) -> str:
        """Write a value as one of a kind."""
        class_ = node["class"]
        if class_ == "COLUMN_REF":
            return self.column(".".join(node["column_names"]), kind)
        if class_ == "CONSTANT":
            return _constant(node, kind)
        if class_ == "CAST" and node["type_expr"]["type_name"].upper() in _MOMENTS:
            return f"try_cast({self.value(node['child'], 'text')} AS TIMESTAMP)"
        if class_ == "CAST" and node["type_expr"]["type_name"].upper() == "BOOLEAN":
            return self.value(node["child"], "flag")
        if class_ == "FUNCTION":
            return self._function(node, kind)
        if kind == "flag" and class_ in ("COMPARISON", "CONJUNCTION", "OPERATOR", "BETWEEN"):
            return self.flag(node)
        raise _refused(node)

    def _function(self, node: Node, kind: str) -> str:
        name, parts = str(node["function_name"]).lower(), _arguments(node)
        if name in _ARITHMETIC and kind == "number" and 1 <= len(parts) <= 2:
            values = [self.value(part, "number") for part in parts]
            return f"({f' {name} '.join(values)})" if len(values) == 2 else f"({name}{values[0]})"
        if name in _OF_NUMBERS and kind == "number" and len(parts) == 1:
            return f"{name}({self.value(parts[0], 'number')})"
        if _OF_TEXT.get(name) == kind and len(parts) == (2 if kind == "flag" else 1):
            return f"{name}({', '.join(self.value(part, 'text') for part in parts)})"
        raise _refused(node)


def _arguments(node: Node) -> list[Node]:
    return [one.get("expression", one) for one in node["arguments"]]


def _kind(node: Node) -> str | None:
    """Return what a value is by itself; a column is what the other side is."""
    class_ = node["class"]
    if class_ == "CONSTANT":
        kind = node["literal"]["kind"]
        known = {"INTEGER": "number", "NUMERIC": "number", "DOUBLE": "number", "BOOLEAN": "flag"}
        return known.get(kind, "text" if kind == "STRING" else None)
    if class_ == "CAST":
        named = node["type_expr"]["type_name"].upper()
        return "moment" if named in _MOMENTS else "flag" if named == "BOOLEAN" else None
    if class_ == "FUNCTION":
        name = str(node["function_name"]).lower()
        return "number" if name in (*_ARITHMETIC, *_OF_NUMBERS) else _OF_TEXT.get(name)
    return None if class_ == "COLUMN_REF" else "flag"


def _constant(node: Node, kind: str) -> str:
    literal = node["literal"]
    text = str(literal["text"])
    if literal["kind"] == "NULL_LITERAL":
        return "NULL"
    if kind == "number":
        return f"try_cast({text_literal(text)} AS DOUBLE)"
    if kind == "moment":
        return f"try_cast({text_literal(text)} AS TIMESTAMP)"
    if kind == "flag":
        return f"try_cast({text_literal(text)} AS BOOLEAN)"
    return text_literal(text)


def _refused(node: Node) -> ValueError:
    what = node.get("function_name") or node["type"].lower().replace("_", " ")
    return ValueError(
        f"`where` uses {what}, which a row filter cannot; compare columns with values by =, <>, <, "
        "<=, >, >=, IN, BETWEEN, LIKE or IS NULL, joined by AND, OR and NOT"
    )
