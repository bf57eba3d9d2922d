"""What to say of a header that does not have the columns that the dataset names."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from tasks.ingest.dialect import Dialect
from tasks.ingest.plain_text import encoding_that_fits
from warehouse.errors import InputError

_VALUE = re.compile(r"[-+]?\d+(\.\d+)?|\d{4}-\d\d-\d\d.*|")


class MissingColumnError(InputError):
    """A file lacks a column that the dataset names."""


def missing_column(
    path: Path,
    header: Sequence[str],
    field: str,
    column: str,
    given_by: str | None,
    is_text: bool,
    dialect: Dialect,
) -> str:
    """Say which column is not there, which are, and what the fix may be."""
    names = ", ".join(header[:30])[:400]
    table = field.split(".", 1)[0]
    by_lower = {name.lower(): name for name in reversed(header)}
    close = [by_lower[name] for name in difflib.get_close_matches(column.lower(), by_lower, n=1)]
    if given_by:
        said = f"there is no column `{column}`"
        right = f"give the right file, with a header, in `{given_by}`"
        fix = f"rename `{close[0]}` to `{column}`" if close else right
        fix += ", or describe the file in a dataset TOML (docs/dataset.md)"
    else:
        said = f"`{field}` names column `{column}`"
        fix = f"name `{close[0]}`" if close else "name the right one or give the right file"
    if is_text and _reads_like_values(header):
        said += ", and the first line seems to be data and no header"
        if not given_by:
            fix = f'write header = false and columns = ["{column}", …] under [{table}]'
    elif is_text and header and header[0].startswith(("#", "%", "//")):
        said += ", and the first line seems to be a comment"
        fix = f'write comment = "{header[0][0]}" (or skip = 1) under [{table}]'
    elif len(header) == 1 and is_text:
        said += f", and nothing separates columns by {dialect.shown or dialect.delimiter!r}"
        fix = f"say what does in `{table}.delimiter` of a dataset TOML"
    return f"{path}: {said}; the file has {names}; {fix}"


def _reads_like_values(header: Sequence[str]) -> bool:
    """Tell whether names look like values: numbers, dates, or nothing, among two or more."""
    pieces = [part for name in header for part in name.split("::")]
    return len(pieces) > 1 and any(_VALUE.fullmatch(piece) for piece in pieces)


def no_encoding(path: Path, head: bytes, encoding: str) -> InputError:
    """Return the error for a header that cannot be decoded, with the encoding that would fit."""
    fits = encoding_that_fits(head)
    if fits is None:
        return InputError(f"{path} is not {encoding.upper()} text; give a UTF-8 CSV or Parquet")
    line = next(line for line in head.splitlines() if not line.isascii() or line)
    shown = line.decode(fits, "replace")[:80]
    return InputError(
        f'{path} is not {encoding.upper()} text; as {fits} its header is "{shown}": if that is '
        f'right, write encoding = "{fits}" in a dataset TOML'
    )
