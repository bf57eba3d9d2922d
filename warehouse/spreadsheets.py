"""CSV for people: text that a spreadsheet would take for a formula is made harmless."""

import io

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

FORMULA = r"^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])"
"""How a cell begins that Excel, LibreOffice or Google Sheets computes instead of showing."""

IDS = ("_id", "_ids")
"""Names of columns that end so hold ids, which stay as they are, to be copied and joined on."""


def csv_bytes(table: pa.Table) -> bytes:
    """Write a table as CSV (RFC 4180, UTF-8) that can be opened in a spreadsheet.

    Lists become one field, joined by commas. Text in columns other than ids that begins like a
    formula gets an apostrophe before it; ids and numbers are unchanged.
    """
    sink = io.BytesIO()
    columns = [_plain(table[name], name) for name in table.column_names]
    csv.write_csv(pa.table(columns, names=table.column_names), sink)
    return sink.getvalue()


def harmless(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Put an apostrophe before every text that begins like a formula."""
    apostrophe, nothing = (pa.scalar(mark, text.type) for mark in ("'", ""))
    return pc.if_else(
        pc.match_substring_regex(text, FORMULA),
        pc.binary_join_element_wise(apostrophe, text, nothing),
        text,
    )


def _plain(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_list(column.type):
        column = pc.binary_join(column.cast(pa.list_(pa.string())), ", ")
    elif pa.types.is_nested(column.type):
        column = pa.chunked_array([pa.array([str(value) for value in column.to_pylist()])])
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return harmless(column) if is_text and not name.endswith(IDS) else column
