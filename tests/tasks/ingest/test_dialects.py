"""Random tables written in random dialects are read back equal."""

import bz2
import gzip
import io
import json
import lzma
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.limits import IngestLimits
from tasks.ingest.stage import ingest_stage
from tests.tasks.ingest.test_damage import plays_of

LETTERS = "abzAZ019é ß-_.;,|:~'\"#\\/[]{}\t"
WORDS = st.text(LETTERS, min_size=1, max_size=8)


def zipped(content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("data.csv", content)
    return sink.getvalue()


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
    "zst": zstd,
}
LISTS: dict[str, Callable[[list[str]], str]] = {
    "json": json.dumps,
    "python": repr,
    "^": "^".join,
}


@dataclass(frozen=True)
class Dialect:
    """How a table is written."""

    encoding: str
    delimiter: str
    quote: str
    escape: str
    always: bool
    """Whether every field is quoted."""
    header: bool
    comment: bool
    skip: int
    end: str
    packed: str
    listed: str

    def toml(self, columns: list[str]) -> str:
        lines = [
            f"encoding = {json.dumps(self.encoding)}",
            f"delimiter = {json.dumps(self.delimiter)}",
            f"quote = {json.dumps(self.quote)}",
            f"escape = {json.dumps(self.escape)}",
            f"skip = {self.skip}",
        ]
        lines += ['comment = "%%"'] if self.comment else []
        if not self.header:
            lines += ["header = false", f"columns = {json.dumps(columns)}"]
        return "\n".join(lines) + "\n"

    def field(self, value: str) -> str:
        q, e = self.quote, self.escape
        # Beside a delimiter of several characters, one of them alone may be read as part of it.
        special = (*self.delimiter, q, "\n", "\r") + ((e,) if e else ())
        needed = any(mark and mark in value for mark in special) or value.startswith("%%")
        if not q:
            if e:
                value = value.replace(e, e + e).replace(self.delimiter, e + self.delimiter)
            return value
        if not (self.always or needed):
            return value
        if e:
            return q + value.replace(e, e + e).replace(q, e + q) + q
        return q + value.replace(q, q + q) + q

    def write(self, columns: list[str], rows: list[list[str]]) -> bytes:
        lines = ["a line of preamble"] * self.skip
        lines += ["%% a comment"] if self.comment else []
        table = [columns, *rows] if self.header else rows
        for number, row in enumerate(table):
            lines.append(self.delimiter.join(self.field(value) for value in row))
            if self.comment and number % 2:
                lines.append('%% "another')
        text = "".join(line + self.end for line in lines)
        return PACKED[self.packed](text.encode(self.encoding))

    def can_hold(self, value: str) -> bool:
        if self.quote:
            return True
        marks = (*self.delimiter, "\n")
        return not any(mark in value for mark in marks) and not value.startswith("%%")


DIALECTS = st.builds(
    Dialect,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"]),
    delimiter=st.sampled_from([",", ";", "\t", "|", "::", "~|~", "¦"]),
    quote=st.sampled_from(['"', '"', "'", ""]),
    escape=st.sampled_from(["", "", "\\"]),
    always=st.booleans(),
    header=st.booleans(),
    comment=st.booleans(),
    skip=st.sampled_from([0, 2]),
    end=st.sampled_from(["\n", "\r\n"]),
    packed=st.sampled_from(sorted(PACKED)),
    listed=st.sampled_from(sorted(LISTS)),
)


@settings(max_examples=40, deadline=None)
@given(
    dialect=DIALECTS,
    titles=st.lists(WORDS, min_size=1, max_size=6),
    artists=st.lists(st.text("abé '", min_size=1, max_size=5), min_size=1, max_size=3),
    plays=st.lists(
        st.tuples(st.integers(0, 5), st.text("xyé7", min_size=1, max_size=3), st.integers(1, 9)),
        min_size=1,
        max_size=12,
    ),
)
def test_a_table_is_read_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    dialect: Dialect,
    titles: list[str],
    artists: list[str],
    plays: list[tuple[int, str, int]],
) -> None:
    folder = tmp_path_factory.mktemp("dialect")
    titles = [title if dialect.can_hold(title) else "held" for title in titles]
    creators = list(dict.fromkeys(one.strip() for one in artists if one.strip()))
    cell = LISTS[dialect.listed](creators) if creators else ""
    if not dialect.can_hold(cell) or (dialect.escape and not dialect.quote and "\\" in cell):
        cell, creators = "", []
    tracks = [[f"T{number}", title, cell] for number, title in enumerate(titles)]
    rows = [[f"u{user}", f"T{track % len(titles)}", str(count)] for track, user, count in plays]
    (folder / "tracks").write_bytes(dialect.write(["id", "title", "by"], tracks))
    (folder / "plays").write_bytes(dialect.write(["user", "track", "n"], rows))
    (folder / "it.toml").write_text(
        f"[tracks]\npath = 'tracks'\nid = 'id'\ntitle = 'title'\n"
        f"creator = {{ column = 'by', list = {json.dumps(dialect.listed)} }}\n"
        f"{dialect.toml(['id', 'title', 'by'])}"
        f"[plays]\npath = 'plays'\nuser = 'user'\ntrack = 'track'\ncount = 'n'\n"
        f"{dialect.toml(['user', 'track', 'n'])}",
        encoding="utf-8",
    )
    spec = DatasetSpec.from_toml(folder / "it.toml")
    result = ingest_stage(folder / "lake", spec, IngestLimits(reject_share=0, reject_rows=0))
    found = {row["track_id"]: row for row in result["tracks"].read().to_pylist()}
    expected = {
        f"T{number}": unicodedata.normalize("NFC", title) if title.strip() else None
        for number, title in enumerate(titles)
    }
    assert {one: row["name"] for one, row in found.items()} == expected
    assert [row["artists"] for row in found.values()] == [creators or None] * len(titles)
    expected_plays: Counter[tuple[str, str]] = Counter()
    for user, track, count in rows:
        expected_plays[user, track] += int(count)
    assert plays_of(result) == expected_plays
    assert result.counts["rejected_rows"] == 0
