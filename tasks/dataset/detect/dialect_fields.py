"""The fields of a table's dialect: what the TOML has to say so that the text is read right."""

from collections.abc import Mapping, Sequence

from tasks.dataset.detect.decision import Decision
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.detect.table import Table
from tasks.dataset.detect.values import Column


def dialect_decisions(
    section: str, table: Table, decisions: Sequence[Decision], repair: str
) -> list[Decision]:
    """Propose encoding, delimiter, quote and so on; defaults are left out but the delimiter."""
    found: list[Decision] = []

    def add(field: str, value: object, sureness: Sureness, reason: str) -> None:
        found.append(Decision(f"{section}.{field}", value, sureness, reason))

    encoding = table.encoding
    if encoding and encoding.name != "utf-8":
        add("encoding", encoding.name, encoding.sureness, encoding.reason)
    dialect = table.dialect
    if dialect:
        shown = {"\t": "a tab", " ": "a space", "": "none: one column"}
        name = shown.get(dialect.delimiter, f"`{dialect.delimiter}`")
        if dialect.delimiter:
            add(
                "delimiter",
                dialect.delimiter,
                dialect.delimiter_sureness,
                f"{name} makes {dialect.width} fields in {dialect.consistency:.0%} of the rows",
            )
        if not dialect.header:
            add("header", False, dialect.header_sureness, dialect.header_reason)
        elif dialect.header_sureness is Sureness.GUESS:
            add("header", True, dialect.header_sureness, dialect.header_reason)
        usual = "" if dialect.delimiter == "\t" else '"'
        if dialect.quote != usual and (dialect.quote_matters or dialect.quote):
            add("quote", dialect.quote, Sureness.LIKELY,
                dialect.quote_reason or f"values are between {dialect.quote}")  # fmt: skip
        if dialect.escape:
            add("escape", dialect.escape, Sureness.LIKELY, "it stands before quotes inside values")
        if dialect.comment:
            add("comment", dialect.comment, Sureness.LIKELY, "lines before the table begin with it")
        if dialect.skip:
            add("skip", dialect.skip, Sureness.LIKELY, "lines before the table")
    padded = dialect is not None and dialect.strip
    if padded or repair == "spaces around them":
        add("strip", True, Sureness.LIKELY, "values have spaces around them")
    found += _number_format(section, _used(section, table, decisions))
    return found


def _used(section: str, table: Table, decisions: Sequence[Decision]) -> list[Column]:
    names: set[str] = set()
    for one in decisions:
        if not one.field.startswith(section + ".") or one.field.endswith(".path"):
            continue
        values = one.value if isinstance(one.value, list) else [one.value]
        names |= {str(v["column"]) if isinstance(v, Mapping) else str(v) for v in values}
    return [column for column in table.columns if column.name in names]


def _number_format(section: str, columns: Sequence[Column]) -> list[Decision]:
    found = []
    numbers = [column for column in columns if column.is_number]
    commas = [column for column in numbers if column.decimal == ","]
    if commas:
        found.append(
            Decision(
                f"{section}.decimal",
                ",",
                Sureness.LIKELY,
                f"`{commas[0].name}` has values such as {commas[0].examples[0]}",
            )
        )
    grouped = [column for column in numbers if column.thousands]
    if grouped:
        example = next(v for v in grouped[0].values if v and grouped[0].thousands in v)
        found.append(Decision(f"{section}.thousands", grouped[0].thousands, Sureness.LIKELY,
                              f"`{grouped[0].name}` has values such as {example}"))  # fmt: skip
    nulls = list(dict.fromkeys(token for column in numbers for token in column.odd_nulls))
    if nulls:
        found.append(Decision(f"{section}.nulls", nulls, Sureness.LIKELY,
                              "it stands among numbers where one is missing"))  # fmt: skip
    return found
