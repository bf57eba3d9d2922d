"""The dialect of a text table: delimiter, quotes, escape, comments, preamble and header."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.dataset.detect.names import is_known_name
from tasks.dataset.detect.shapes import is_null, shape
from tasks.dataset.detect.sureness import Sureness

_PRIORS = {
    ",": 1.0, "\t": 1.0, ";": 1.0, "|": 0.97, "\x01": 0.95, "\x1f": 0.95, "~": 0.8, "^": 0.8,
    "#": 0.5, ":": 0.5, " ": 0.5, "/": 0.3, "-": 0.2,
}  # fmt: skip
_LONG_PRIOR = 0.97
_RUN = re.compile(r"""[^\w\s"'.()\[\]{}\\]{2,4}| \| |<[A-Za-z]{2,8}>|\t{2,3}""")
_COMMENTS = ("#", "%", "//", "--")
_NO_NAMES = frozenset(("\\N", "NULL", "NaN", "nan", "None"))
"""Values that name no column."""
_LINE = re.compile(r"\r\n|\n|\r")
_SEP_LINE = re.compile(r"sep=(.)\s*$", re.IGNORECASE)
_STAND_IN = "\ue000"
"""Replaces a delimiter of several characters before parsing; a private character of Unicode."""

csv.field_size_limit(1 << 30)  # lyrics and descriptions are longer than the default allows

SCORED_CHARS = 60_000
"""Of each piece of text, for scoring dialects."""


@dataclass(frozen=True)
class Dialect:
    """How the records of a text table are written."""

    delimiter: str
    """Text between fields; empty if each line is one field."""
    quote: str = '"'
    """Character around fields; empty if quotes are part of the values."""
    quote_matters: bool = False
    """Whether any field begins with a quote."""
    escape: str = ""
    """Character before a quote inside quotes, if it is not doubled."""
    comment: str = ""
    """What lines begin with that are not read."""
    skip: int = 0
    """Lines before the header or the first record."""
    header: bool = True
    columns: tuple[str, ...] = ()
    """Names by the header, by a commented header, or made up."""
    strip: bool = False
    """Whether values have spaces around them."""
    width: int = 1
    """Fields of most records."""
    consistency: float = 1.0
    """Share of the records with that many."""
    delimiter_sureness: Sureness = Sureness.SURE
    header_sureness: Sureness = Sureness.SURE
    header_reason: str = ""
    quote_reason: str = ""
    names_are_made_up: bool = False


def parse(text: str, dialect: Dialect) -> list[list[str]]:
    """Split text into records and fields; blank and comment lines are no records."""
    if dialect.comment:
        text = "\n".join(line for line in _LINE.split(text) if not line.startswith(dialect.comment))
    delimiter = dialect.delimiter
    if not delimiter or not dialect.quote:
        lines = (line for line in _LINE.split(text) if line.strip())
        return [line.split(delimiter) if delimiter else [line] for line in lines]
    if len(delimiter) > 1:
        text, delimiter = text.replace(delimiter, _STAND_IN), _STAND_IN
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=dialect.quote,
        escapechar=dialect.escape or None,
        skipinitialspace=delimiter != " " and dialect.quote_matters,
    )
    records: list[list[str]] = []
    try:
        for record in reader:
            if record and (len(record) > 1 or record[0].strip()):
                records.append(record)
    except csv.Error:  # a quote that opens and never closes
        return records
    return records


def detect_dialect(pieces: Sequence[str]) -> Dialect:
    """Decide on the dialect of a text, given its beginning and pieces from further on."""
    head = pieces[0][:SCORED_CHARS]
    text = head if len(head) == len(pieces[0]) else _cut(head)
    later = [_cut(piece[:SCORED_CHARS]) for piece in (*pieces[1:3], *pieces[-1:]) if piece]
    later = later if len(pieces) > 1 else []
    said = _SEP_LINE.match(_LINE.split(text, maxsplit=1)[0])
    best, sureness = _best_delimiter(text, later, only=said.group(1) if said else None)
    best = replace(best, delimiter_sureness=Sureness.SURE if said else sureness)
    best = _with_preamble(text, best, skip_first=bool(said))
    best = replace(best, strip=_is_padded(text, best))
    return _with_header(text, best)


def _cut(text: str) -> str:
    """Drop the last line, which may be cut short."""
    return text.rpartition("\n")[0] or text


def _best_delimiter(text: str, later: Sequence[str], only: str | None) -> tuple[Dialect, Sureness]:
    candidates = [only] if only else _candidates(text)
    scored: list[tuple[float, Dialect]] = []
    for delimiter in candidates:
        dialect = _with_quotes(text, delimiter)
        score, dialect = _score(text, later, dialect)
        scored.append((score, dialect))
    scored.sort(key=lambda pair: -pair[0])
    if not scored or scored[0][0] < 0.3:
        return replace(Dialect(""), quote=""), Sureness.LIKELY
    first, second = scored[0][0], scored[1][0] if len(scored) > 1 else 0.0
    if first > 1.25 * second:
        return scored[0][1], Sureness.SURE
    return scored[0][1], Sureness.LIKELY if first > 1.05 * second else Sureness.GUESS


def _candidates(text: str) -> list[str]:
    lines = [line for line in _LINE.split(text) if line.strip()][:400]
    found = [mark for mark in _PRIORS if sum(mark in line for line in lines) > 0.5 * len(lines)]
    runs: Counter[str] = Counter()
    for line in lines:
        runs.update(set(_RUN.findall(line)))
    # A URL, or the end of a value before a common delimiter, is no delimiter.
    return found + [
        run
        for run, count in runs.items()
        if count > 0.8 * len(lines) and "://" not in run
        if len(set(run)) == 1 or not set(run) & {",", ";", "\t"}
        if not set(run) <= {",", ";", "/"}
    ]


def _with_quotes(text: str, delimiter: str) -> Dialect:
    """Decide whether quotes are around fields or part of the values, and how they are escaped."""
    plain = Dialect(delimiter, quote="")
    rows = parse(text, plain)
    verdicts = [_quote_evidence(rows, mark) for mark in ('"', "'")]
    double, single = verdicts
    if double.opened == 0 and not (single.opened > 0.5 * len(rows) and single.balanced > 0.98):
        # Nothing begins with a quote, so the default of the format holds.
        return replace(plain, quote="" if delimiter == "\t" else '"')
    mark, evidence = ('"', double) if double.opened else ("'", single)
    quoted = Dialect(delimiter, quote=mark, quote_matters=True)
    if delimiter == "\t" and evidence.opened < 0.5 * len(rows) and not evidence.needed:
        return replace(
            plain, quote_matters=True, quote_reason="few values have quotes, and none needs them"
        )
    quoted = _with_escape(text, quoted)
    better = _consistency(text, quoted) > _consistency(text, plain) + 0.02
    if evidence.balanced < 0.9 and not better and not _spans_lines(text, quoted):
        return replace(
            plain,
            quote_matters=True,
            quote_reason="values begin with a quote that is never closed",
        )
    return quoted


def _with_escape(text: str, quoted: Dialect) -> Dialect:
    """Tell whether quotes inside of quotes have a backslash before them."""
    mark = quoted.quote
    if "\\" + mark not in text:
        return quoted
    escaped = replace(quoted, escape="\\")
    if not _doubles(text, quoted) or _consistency(text, escaped) > _consistency(text, quoted):
        return escaped
    return quoted


def _doubles(text: str, quoted: Dialect) -> bool:
    """Tell whether quotes inside of quotes are doubled; an empty field has two as well."""
    mark, ends = re.escape(quoted.quote), re.escape(quoted.delimiter[:1]) + r"\r\n"
    bare = text.replace("\\" + quoted.quote, "")
    return re.search(f"(?<=[^{ends}]){mark}{mark}|{mark}{mark}(?=[^{ends}])", bare) is not None


@dataclass(frozen=True)
class _QuoteEvidence:
    opened: int
    """Rows in which a field begins with the quote."""
    balanced: float
    """Share of these in which as many fields end with it."""
    needed: bool
    """Whether quotes hide delimiters."""


def _quote_evidence(rows: Sequence[Sequence[str]], mark: str) -> _QuoteEvidence:
    opened = balanced = 0
    needed = False
    for row in rows:
        cells = [cell.strip() for cell in row]
        starts = sum(cell.startswith(mark) for cell in cells)
        if not starts:
            continue
        ends = sum(cell.endswith(mark) and (len(cell) > 1) for cell in cells)
        opened += 1
        balanced += starts == ends
        whole = sum(c.startswith(mark) and c.endswith(mark) and len(c) > 1 for c in cells)
        needed |= starts == ends and whole < starts
    return _QuoteEvidence(opened, balanced / opened if opened else 1.0, needed)


def _spans_lines(text: str, dialect: Dialect) -> bool:
    """Tell whether quoted fields hold line breaks in records that are otherwise regular."""
    rows = parse(text, dialect)
    width = _width(rows)
    broken = [row for row in rows if any("\n" in cell or "\r" in cell for cell in row)]
    return bool(broken) and sum(len(row) == width for row in broken) > 0.9 * len(broken)


def _consistency(text: str, dialect: Dialect) -> float:
    rows = parse(text, dialect)
    width = _width(rows)
    return sum(len(row) == width for row in rows) / max(1, len(rows))


def _width(rows: Sequence[Sequence[str]]) -> int:
    counts = Counter(map(len, rows))
    return max(counts, key=lambda width: (counts[width], width)) if counts else 1


def _score(text: str, later: Sequence[str], dialect: Dialect) -> tuple[float, Dialect]:
    """Score a dialect by how regular its records are and how typed their fields."""
    rows = parse(text, dialect)
    for piece in later:
        rows += parse(piece, dialect)[1:]
    width = _width(rows)
    if width < 2:
        return 0.0, dialect
    regular = [row for row in rows if len(row) == width]
    # Short rows may lack optional values; they count for half.
    short = sum(1 < len(row) < width for row in rows)
    consistency = (len(regular) + 0.5 * short) / len(rows)
    columns = list(zip(*regular[1:500], strict=True)) or [(cell,) for cell in regular[0]]
    typed = sum(_typedness(column) for column in columns) / width
    prior = _PRIORS.get(dialect.delimiter, _LONG_PRIOR)
    score = prior * consistency**2 * (0.5 + 0.5 * typed) * (1 - 0.8 / width)
    if dialect.delimiter * 2 in text:  # `::` splits at `:` too, and leaves empty columns
        hollow = sum(not any(cell.strip() for cell in column) for column in columns[1:-1:2])
        score *= 0.3 if width > 2 and hollow == len(columns[1:-1:2]) else 1.0
    exact = len(regular) / len(rows)
    return score, replace(dialect, width=width, consistency=exact)


def _typedness(column: Sequence[str]) -> float:
    """Return the share of a column's most common shape, less for shapes that say little."""
    shapes = Counter(shape(cell.strip()) for cell in column if not is_null(cell))
    if not shapes:
        return 0.5
    name, count = shapes.most_common(1)[0]
    worth = {"text": 0.6, "mixed": 0.1}.get(name, 1.0)
    return worth * count / sum(shapes.values())


def _with_preamble(text: str, dialect: Dialect, *, skip_first: bool) -> Dialect:
    """Find the lines before the table, and whether they are comments."""
    lines = _LINE.split(text)
    first = 1 if skip_first else 0
    marked = {
        mark: [line for line in lines if line.startswith(mark)]
        for mark in _COMMENTS
        if not dialect.delimiter.startswith(mark)
    }
    for mark, found in marked.items():
        fields = [len(parse(line, dialect)[0]) if line else 0 for line in found]
        leads = next((line for line in lines if line.strip()), "").startswith(mark)
        if found and leads and len(found) < 0.2 * len(lines):
            header = _commented_header(lines, mark, dialect)
            if header:
                position, names = header
                return replace(
                    dialect, skip=position + 1, columns=names, header=False,
                    header_reason="the names are in a comment line", names_are_made_up=False,
                )  # fmt: skip
            if not any(count == dialect.width for count in fields) or dialect.width == 1:
                return replace(dialect, comment=mark)
    skip = first
    for position, line in enumerate(lines[:100]):
        record = parse(line, dialect) if line.strip() else []
        width = len(record[0]) if record else 0
        if position >= first and (width == dialect.width or width > dialect.width):
            break
        if position >= first and dialect.quote_matters and line.count(dialect.quote) % 2:
            break  # the first line of a record that spans several
        if position >= first and width == dialect.width - 1 and _is_short_header(lines, position):
            break
        skip = position + 1
    else:
        skip = first
    # A narrow line directly above the table is a short header, as ragged tables have them.
    return replace(dialect, skip=skip if skip < len(lines) else 0)


def _is_short_header(lines: Sequence[str], position: int) -> bool:
    return position == 0 or not lines[position - 1].strip()


def _commented_header(
    lines: Sequence[str], mark: str, dialect: Dialect
) -> tuple[int, tuple[str, ...]] | None:
    """Return the last comment before the table if it names as many columns as the table has."""
    last = None
    for position, line in enumerate(lines):
        if line.startswith(mark):
            last = position
        elif line.strip():
            break
    if last is None or last + 1 >= len(lines):
        return None
    bare = lines[last].removeprefix(mark).strip()
    names = tuple(cell.strip() for cell in parse(bare, dialect)[0]) if bare else ()
    following = parse(lines[last + 1], dialect)
    if len(names) != dialect.width or len(names) < 2 or not following:
        return None
    if not _are_names(names) or _are_names(tuple(following[0])):
        return None
    return last, names


def _are_names(cells: Sequence[str]) -> bool:
    return (
        len(set(cells)) == len(cells)
        and all(cell and shape(cell) in ("text", "word", "mixed") for cell in cells)
        and sum(is_known_name(cell) for cell in cells) * 2 >= len(cells)
    )


def _is_padded(text: str, dialect: Dialect) -> bool:
    """Tell whether nearly all values have spaces around them."""
    if not dialect.delimiter or dialect.delimiter.isspace():
        return False
    if dialect.quote_matters and dialect.quote:
        return False
    cells = [cell for row in parse(text, dialect)[1:500] for cell in row[1:] if cell.strip()]
    padded = sum(cell != cell.strip() for cell in cells)
    return bool(cells) and padded > 0.5 * len(cells)


def _with_header(text: str, dialect: Dialect) -> Dialect:
    """Decide whether the first record names the columns."""
    body = "\n".join(_LINE.split(text)[dialect.skip :]) if dialect.skip else text
    rows = parse(body, dialect)
    made_up = tuple(f"column_{number}" for number in range(1, dialect.width + 1))
    if dialect.columns or not rows:
        return replace(dialect, columns=dialect.columns or made_up)
    first = tuple(cell.strip() for cell in rows[0])
    rest = [row for row in rows[1:1000] if len(row) == dialect.width]
    verdict, sureness, reason = _is_header(first, rest)
    found = replace(dialect, header=verdict, header_sureness=sureness, header_reason=reason)
    if not verdict:
        return replace(found, columns=made_up, names_are_made_up=True)
    if len(first) == dialect.width - 1:
        # A delimiter ends every row, or there is a column of row numbers without a name.
        is_ended = all(not row[-1].strip() for row in rest)
        names = (*first, made_up[-1]) if is_ended else ("row", *first)
        return replace(found, header=False, skip=dialect.skip + 1, columns=names)
    names = first + made_up[len(first) :]
    return replace(found, columns=tuple(name or made_up[i] for i, name in enumerate(names)))


def name_columns_of(text: str, dialect: Dialect) -> Dialect:
    """Return a described dialect with its columns: as given, or as its header has them."""
    body = "\n".join(_LINE.split(text[:SCORED_CHARS])[dialect.skip :])
    rows = parse(body, dialect)
    if not rows:
        return dialect
    width = _width(rows)
    names = dialect.columns or tuple(cell.strip() for cell in rows[0])
    return replace(dialect, columns=names, width=width)


def _is_header(first: tuple[str, ...], rest: Sequence[Sequence[str]]) -> tuple[bool, Sureness, str]:
    filled = [cell for cell in first if cell]
    known = [cell for cell in filled if is_known_name(cell)]
    if any(shape(cell) in ("integer", "decimal", "date", "url", "hex") for cell in filled):
        numbers = next(
            c for c in filled if shape(c) in ("integer", "decimal", "date", "url", "hex")
        )
        if len(known) < max(2, len(filled) / 2):
            return False, Sureness.SURE, f"the first line holds a value (`{numbers}`)"
    if any(cell in _NO_NAMES for cell in filled):
        return False, Sureness.LIKELY, "the first line holds a missing value"
    if len(set(filled)) < len(filled) and not known:
        return False, Sureness.LIKELY, "the first line repeats a value"
    if not rest:
        return bool(known), Sureness.LIKELY if known else Sureness.GUESS, "there is one line only"
    columns = list(zip(*rest, strict=True))
    contrast = alike = 0
    for cell, column in zip(first, columns, strict=False):
        values = [value.strip() for value in column if not is_null(value)]
        if not values or not cell:
            continue
        shapes = Counter(map(shape, values))
        common, count = shapes.most_common(1)[0]
        if count > 0.8 * len(values) and common not in ("text", "mixed"):
            contrast += shape(cell) != common and not _same_pattern(cell, values)
            alike += _same_pattern(cell, values) or (shape(cell) == common and common != "word")
        elif cell in values:
            alike += 1
    if len(known) >= max(1, len(filled) / 2):
        sureness = Sureness.SURE if contrast or len(known) > 1 else Sureness.LIKELY
        return True, sureness, f"the first line holds names such as `{known[0]}`"
    if contrast and not alike:
        return True, Sureness.LIKELY, "the first line differs in kind from the others"
    if alike:
        return False, Sureness.LIKELY, "the first line looks like the others"
    if known:
        return True, Sureness.LIKELY, f"the first line holds a name such as `{known[0]}`"
    tidy = all(re.fullmatch(r"[^\W\d][\w .#/()-]{0,30}", cell) for cell in filled)
    return tidy, Sureness.GUESS, "nothing tells the first line from the others"


def _same_pattern(cell: str, values: Sequence[str]) -> bool:
    """Tell whether a cell has the length and the kinds of characters of a column of ids."""
    patterns = {_pattern(value) for value in values[:200]}
    return any(char.isdigit() for char in cell) and len(patterns) < 5 and _pattern(cell) in patterns


def _pattern(value: str) -> str:
    return re.sub(r"\d", "0", re.sub(r"[^\W\d_]", "a", value))
