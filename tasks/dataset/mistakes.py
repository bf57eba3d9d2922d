"""Mistakes in a dataset TOML, each explained in one sentence with its fix."""

import difflib
from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

NOT_IN_TOML = ("given_by", "derived", "sources")
"""Fields of the models that are decided by the program."""

_NAMES = 'must be a list of column names; write for example {} = ["{}"]'
_MUST_BE = {
    "path": 'must be a file, a glob or a list of these; write for example path = "file.csv"',
    "delimiter": "must be a text; write for example delimiter = ';'",
    "numeric": _NAMES.format("numeric", "year"),
    "categorical": _NAMES.format("categorical", "genre"),
    "columns": _NAMES.format("columns", "user"),
    "nulls": 'must be a list of texts; write for example nulls = ["n.a."]',
    "duplicates": 'must be a list of "title" and "creator"; write both to merge equal songs',
    "format": 'must be "csv", "json" or "parquet"',
    "skip": "must be a whole number of lines; write for example skip = 2",
    "quote": 'must be one character, or "" for none; write for example quote = "\'"',
    "escape": "must be one character, or \"\" for doubled quotes; write for example escape = '\\'",
    "decimal": 'must be one character; write for example decimal = ","',
    "thousands": 'must be one character; write for example thousands = "."',
    "days": "must be a whole number of days above 0; write for example days = 90",
    "min": "must be a number; write for example min = 3.5",
    "unit": 'must be "s", "ms", "us" or "ns": what the numbers count since 1970',
    "zone": 'must be the name of a time zone; write for example zone = "Europe/Berlin"',
    "scale": "must be a number above 0; write for example scale = 0.01",
    "creator": 'must be a column, a list of columns, or { column = "…", list = "json" }',
    "track": 'must be a column, or { column = "…", list = "json" }',
    "genre": 'must be a column, or { column = "…", list = "json" }',
    **dict.fromkeys(("header", "strip", "merge", "absent_ok"), "must be true or false"),
}
_TABLES = {
    "tags": '{ column = "…", separator = "," }',
    "strength": '{ column = "…", min = 3.5 }',
    "dislikes": '{ where = "rating <= 2", days = 90 }',
    "at": '{ column = "…", unit = "ms" }',
}
_UNIONS = ("str", "constrained-str", "ListSpec", "tuple[constrained-str, ...]")


def explain(error: ValidationError, models: Mapping[str, type[BaseModel]]) -> str:
    """Say in one sentence what the first mistake is and how to fix it.

    ``models`` are the TOML's tables: dotted name → model.
    """
    errors = error.errors()
    # A misspelt field is the cause, the missing one its effect.
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    place = [
        part
        for part in first["loc"]
        if isinstance(part, str) and part not in _UNIONS and not part.startswith("tuple[")
    ]
    field, parent, kind = ".".join(place), ".".join(place[:-1]), first["type"]
    if kind == "extra_forbidden":
        known = _fields(models[parent]) if parent in models else []
        close = difflib.get_close_matches(place[-1], known, n=1)
        hint = f"write `{close[0]}`" if close else f"it may be one of {', '.join(known)}"
        return f"there is no field `{field}`; {hint}"
    if kind == "missing":
        if field in ("tracks", "plays"):
            return f"the table [{field}] is missing; add it with `path` and the id columns"
        return f"`{field}` is missing; add it (docs/dataset.md lists the fields)"
    if kind == "value_error":
        return str(first["ctx"]["error"])
    if kind in ("model_type", "model_attributes_type"):
        if place[-1] in _TABLES:
            return f"`{field}` must be a table; write {_TABLES[place[-1]]}"
        if place[-1] not in _MUST_BE:
            return f"`{field}` must be a table; write [{field}] on a line of its own"
    if place[0] == "experiments":
        return f"`{field}` is wrong ({first['msg'][0].lower() + first['msg'][1:]}); change it"
    return f"`{field}` {_MUST_BE.get(place[-1], 'must be a text that is not empty, in quotes')}"


def _fields(model: type[BaseModel]) -> list[str]:
    """Return a table's fields as the TOML calls them."""
    named = ((name, field.alias or name) for name, field in model.model_fields.items())
    return [alias for name, alias in named if name not in NOT_IN_TOML]
