"""Files that are no table of rows, by their first bytes: what they are, and what to do."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Foreign:
    """What a file is instead."""

    what: str
    """With its article: an Avro file."""
    advice: str


_MAGIC = (
    (b"\x89PNG", "a PNG image", "give the data file"),
    (b"\xff\xd8\xff", "a JPEG image", "give the data file"),
    (b"GIF8", "a GIF image", "give the data file"),
    (b"%PDF", "a PDF document", "export its table as CSV"),
    (b"PK\x05\x06", "an empty zip archive", "give the data file"),
    (b"SQLite format 3", "an SQLite database", "export its tables as CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind (.xls)", "save its sheet as CSV"),
    (b"\x89HDF", "an HDF5 file", "export its tables as CSV or Parquet"),
    (b"\x93NUMPY", "a NumPy array", "write a row per play as CSV or Parquet"),
    (b"ARROW1", "an Arrow (Feather) file", "write it as Parquet"),
    (b"\xff\xff\xff\xff", "an Arrow stream", "write it as Parquet"),
    (b"FEA1", "a Feather file", "write it as Parquet"),
    (b"ORC", "an ORC file", "write it as Parquet"),
    (b"Obj\x01", "an Avro file", "write it as Parquet"),
    (b"MATLAB 5.0", "a MATLAB file", "write a row per play as CSV"),
    (b"RDX", "an R data file", "write its table with write.csv"),
    (b"RDA", "an R data file", "write its table with write.csv"),
    (b"X\n\x00\x00\x00", "an R data file (.rds)", "write its table with write.csv"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"RIFF", "a RIFF (audio or image) file", "give the data file"),
    (b"ID3", "an MP3 file", "give the data file"),
    (b"fLaC", "a FLAC file", "give the data file"),
    (b"OggS", "an Ogg file", "give the data file"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_SQL = re.compile(
    rb"(--\s*\n)?-- [^\n]*\bdump\b"
    rb"|(PRAGMA|SET|BEGIN|DROP TABLE|CREATE DATABASE|INSERT INTO)\b[^\n]*;\s*$"
    rb"|CREATE TABLE\b[^\n]*[(;]\s*$",
    re.IGNORECASE | re.MULTILINE,
)


def foreign_format(start: bytes) -> Foreign | None:
    """Return what a file with these first bytes is if it is known to be no table."""
    for magic, what, advice in _MAGIC:
        if start.startswith(magic):
            return Foreign(what, advice)
    if start[8:12] == b"DUCK":
        return Foreign("a DuckDB database", "export its tables as Parquet")
    if _PICKLE.match(start) and b"\x00" in start[:4096]:
        return Foreign("a Python pickle", "write its table as Parquet or CSV")
    if _SQL.match(start.lstrip()):
        return Foreign("an SQL dump", "load it into a database and export its tables as CSV")
    return None
