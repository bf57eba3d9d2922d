"""CSV for people: nothing in it is a formula, and ids and numbers are as they were."""

import csv
import io

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.spreadsheets import csv_bytes

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "＝1+1",
    "－1",
]


def read(table: pa.Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_bytes(table).decode(), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_begins_like_a_formula_is_made_harmless(text: str) -> None:
    table = pa.table({"name": [text], "tags": [[text, "b"]], "track_id": [text], "score": [-1.5]})
    (row,) = read(table)
    assert row == {"name": f"'{text}", "tags": f"'{text}, b", "track_id": text, "score": "-1.5"}


@pytest.mark.parametrize("text", ["", "a=b", "'=1", "112", "Ænima", "(-1)", "…And Justice", "#1"])
def test_other_text_is_as_it_was(text: str) -> None:
    assert read(pa.table({"name": [text]})) == [{"name": text}]


def test_kinds_of_columns() -> None:
    table = pa.table(
        {
            "genre": pa.array(["=a", None, "b"]).dictionary_encode(),
            "artist": pa.array(["@x", None, "y"], pa.large_string()),
            "rank": pa.array([-1, None, 1]),
        }
    )
    assert read(table) == [
        {"genre": "'=a", "artist": "'@x", "rank": "-1"},
        {"genre": "", "artist": "", "rank": ""},
        {"genre": "b", "artist": "y", "rank": "1"},
    ]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)))
def test_no_cell_begins_with_a_formula_and_no_text_is_lost(texts: list[str]) -> None:
    table = pa.table(
        {"name": pa.array(texts, pa.string()), "user_id": pa.array(texts, pa.string())}
    )
    rows = read(table)
    assert [row["user_id"] for row in rows] == texts
    for row, text in zip(rows, texts, strict=True):
        assert row["name"] in (text, f"'{text}")
        assert row["name"].lstrip(" \t\r\n\f")[:1] not in tuple("=+-@＝＋－＠")
        assert row["name"][:1] not in ("\t", "\r", "\n")
