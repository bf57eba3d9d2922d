"""Random tables in random dialects are read back as they were written."""

import csv
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.dataset.detect.dialect import detect_dialect, parse
from tasks.dataset.detect.encoding import detect_encoding
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.detect.table import look
from warehouse.errors import InputError

WORDS = st.sampled_from(
    ("Rain", "über", "Blue, Sky", 'the "Best"', "a;b", "x|y", "it's", "Tyler, The Creator", "Ñu")
)
PLAIN = st.sampled_from(("Rain", "Blue Sky", "its", "Ana", "Night Train", "Q"))


@dataclass(frozen=True)
class Written:
    """A table, how it was written, and the text."""

    rows: list[list[str]]
    delimiter: str
    header: bool
    text: str


@st.composite
def tables(draw: st.DrawFn) -> Written:
    """Write a table of ids, numbers, text and dates with a header or none."""
    delimiter = draw(st.sampled_from((",", ";", "\t", "|", "::", "||", "~")))
    quoting: Literal[0, 1] = draw(st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)))
    header = draw(st.booleans())
    size = draw(st.integers(20, 60))
    words = WORDS if len(delimiter) == 1 and delimiter != "\t" else PLAIN
    rows = [
        [
            f"U{draw(st.integers(0, 99)):03d}",
            str(draw(st.integers(1, 99999))),
            draw(words),
            f"20{number % 24:02d}-0{1 + number % 9}-1{number % 9}",
        ]
        for number in range(size)
    ]
    names = ["user_id", "movieId", "title", "date"]
    written = [names, *rows] if header else rows
    out = io.StringIO()
    one = delimiter if len(delimiter) == 1 else "\x1f"
    ends = draw(st.sampled_from(("\n", "\r\n")))
    # Quotes in tab-separated files are part of the values unless most fields have them.
    plain = delimiter == "\t" and quoting == csv.QUOTE_MINIMAL
    csv.writer(
        out, delimiter=one, quoting=csv.QUOTE_NONE if plain else quoting, lineterminator=ends
    ).writerows(written)
    return Written(rows, delimiter, header, out.getvalue().replace(one, delimiter))


@given(tables())
@settings(max_examples=150, deadline=None)
def test_rows_come_back(table: Written) -> None:
    dialect = detect_dialect([table.text])
    assert dialect.delimiter == table.delimiter
    assert dialect.header == table.header
    rows = parse(table.text, dialect)
    assert rows[1:] == table.rows if table.header else rows == table.rows


@given(
    st.lists(st.sampled_from(("Café", "Björk", "naïve", "Señor", "Ærø", "été")), min_size=5),
    st.sampled_from(("utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16")),
)
@settings(max_examples=60, deadline=None)
def test_western_text_comes_back_in_any_encoding(words: list[str], encoding: str) -> None:
    text = "\n".join(f"T{number},{word} plain text" for number, word in enumerate(words))
    found = detect_encoding([text.encode(encoding)])
    assert text.encode(encoding).decode(found.name).removeprefix("\ufeff") == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Песня о море и Группа Кино"),
        ("koi8_r", "Песня о море и Группа Кино"),
        ("cp1250", "Łódź, Kraków, Żółć, pieśń, wędrówka, źdźbło, gęś"),
        ("shift_jis", "さくらの花が咲いています。東京の夜"),
        ("euc_kr", "한국어 노래 제목입니다 서울의 밤"),
    ],
)
def test_other_encodings_are_guessed_and_say_so(encoding: str, text: str) -> None:
    found = detect_encoding([(text + "\n").encode(encoding) * 20])
    assert text.encode(encoding).decode(found.name) == text
    assert found.sureness is Sureness.GUESS


def test_a_few_bytes_that_are_no_utf8_are_said() -> None:
    found = detect_encoding([("Café\n" * 50).encode() + b"Caf\xe9\n"])
    assert (found.name, found.is_damaged) == ("utf-8", True)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:aa", "a Git LFS pointer"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG image"),
        (b"%PDF-1.7 " + bytes(50), "a PDF document"),
        (b"SQLite format 3\x00" + bytes(99), "an SQLite database"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "an Excel workbook"),
        (b"<?xml version='1.0'?><rows/>", "an XML document"),
        (b'{"data": [{"a": 1}], "next": null}', "one JSON object with a list in `data`"),
        (b"{'asin': 'B1', 'price': 3}\n{'asin': 'B2'}\n", "Python literals"),
        (b"1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n", "groups its rows"),
        (b"\x80\x04\x95" + bytes(80), "a Python pickle"),
        (b"\xff\xff\xff\xff\x88\x01\0\0" + bytes(50), "an Arrow stream; write it as Parquet"),
        (b"X\n\0\0\0\3\0\4\1\0" + bytes(50), "an R data file"),
        (b"-- MySQL dump 10.13\n--\nCREATE TABLE `plays` (\n", "an SQL dump"),
        (b"CREATE TABLE plays (user int, track int);\nINSERT INTO plays VALUES (1, 2);\n", "SQL"),
        (b"PAR1" + bytes(50), "a damaged Parquet file"),
        (b'["u1", "t1", 3]\n["u2", "t2", 1]\n', "JSON arrays, whose values have no names"),
        (b'[["u1", "t1"], ["u2", "t2"]]', "JSON arrays, whose values have no names"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_table_is_named(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "plays.csv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=said):
        look(str(path))


def test_a_tar_in_gzip_is_named(tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "a.csv").write_text("user,track\n1,2\n")
    with tarfile.open(folder / "plays.csv.gz", "w:gz") as archive:
        archive.add(folder / "a.csv", "a.csv")
    with pytest.raises(InputError, match="a tar archive"):
        look(str(folder / "plays.csv.gz"))


def test_backslash_escapes_are_seen() -> None:
    text = '"ISBN";"Title"\n' + "".join(
        f'"{n:010d}";"The \\"{n}th\\"; a novel"\n' for n in range(40)
    )
    dialect = detect_dialect([text])
    assert (dialect.delimiter, dialect.escape, dialect.quote) == (";", "\\", '"')
    assert parse(text, dialect)[1] == ["0000000000", 'The "0th"; a novel']


def test_a_value_over_several_lines_stays_one() -> None:
    text = "id,title,text\n" + "".join(f'{n},Song {n},"line one\nline, two"\n' for n in range(40))
    rows = parse(text, detect_dialect([text]))
    assert len(rows) == 41
    assert rows[1] == ["0", "Song 0", "line one\nline, two"]


def test_names_in_a_comment_line_name_the_columns() -> None:
    text = "# user_id\ttrack_id\tcount\n" + "".join(f"u{n}\tt{n % 7}\t{n}\n" for n in range(40))
    dialect = detect_dialect([text])
    assert (dialect.header, dialect.skip) == (False, 1)
    assert dialect.columns == ("user_id", "track_id", "count")
