"""Reading damaged CSV record by record, against a plain reader."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.ingest.dialect import Dialect
from tasks.ingest.records import RECORD, read_records
from tests.tasks.ingest import plain_reader

MARKS = [b",", b'"', b"\n"]
OTHERS = [b"a", b"bc", b'""', b"\r\n", b"\r", b" ", b";", b"1", b"\xc3\xa9", b"\xff", b"\0"]
PIECES = st.lists(st.sampled_from(MARKS * 3 + OTHERS + [plain_reader.BOM]), max_size=60)


def read_all(
    path: Path, fields: int, single: set[int], chunk: int
) -> tuple[list[tuple[int, list[bytes]]], list[tuple[int, str, str]]]:
    """Read all records with the module under test."""
    wanted = {f"f{position}": position for position in range(fields)}
    good: list[tuple[int, list[bytes]]] = []
    bad: list[tuple[int, str, str]] = []
    for part in read_records(path, fields, Dialect(","), wanted, single, chunk=chunk):
        for row in part.good.to_pylist():
            values = [(row[name] or "").encode() for name in wanted]
            good.append((row[RECORD], values))
        bad += [(one.record, one.reason, one.raw) for one in part.rejected]
    return good, bad


def shown(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


@settings(max_examples=400, deadline=None)
@given(
    pieces=PIECES,
    fields=st.integers(1, 3),
    single=st.sets(st.integers(0, 2)),
    chunk=st.sampled_from([1, 2, 5, 13, 1 << 20]),
)
def test_reads_what_a_plain_reader_reads(
    tmp_path_factory: pytest.TempPathFactory,
    pieces: list[bytes],
    fields: int,
    single: set[int],
    chunk: int,
) -> None:
    content = b",".join([b"h"] * fields) + b"\n" + b"".join(pieces)
    path = tmp_path_factory.mktemp("soup") / "soup.csv"
    path.write_bytes(content)
    good, bad = plain_reader.read(content, fields, b",", single)
    found, rejected = read_all(path, fields, single, chunk)
    assert found == good
    assert rejected == [(number, reason, shown(raw)) for number, reason, raw in bad]
