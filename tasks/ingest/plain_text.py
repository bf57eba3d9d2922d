"""The plain bytes of an input file: inflated, in UTF-8, with one byte between fields."""

import bz2
import codecs
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
from charset_normalizer import from_bytes

from tasks.ingest.recognise import InputFile, zip_member
from warehouse.errors import InputError

_USUAL = "cp1252"
_CHUNK = 1 << 22
_SPARE = b"\x1f\x1e\x1d\x1c\x02\x03\x04\x05\x06\x07"
"""Control characters that may take the place of a longer delimiter."""
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowInvalid)


class _SpareInUseError(Exception):
    """The text holds the byte that was to stand for the delimiter."""


def inflate(file: InputFile, target: Path, gigabytes: float) -> Path:
    """Write the plain bytes of a compressed file to ``target`` and return where they are.

    Raises InputError for damaged data and for more than ``gigabytes``.
    """
    most = int(gigabytes * 1e9)
    try:
        with _opened(file) as source, target.open("wb") as plain:
            while piece := source.read(_CHUNK):
                if plain.tell() + len(piece) > most:
                    raise InputError(
                        f"{file.path} holds more than {gigabytes:g} GB of plain data; raise "
                        "`ingest.inflated_gigabytes` if it should"
                    )
                plain.write(piece)
    except _DAMAGED as error:
        raise InputError(
            f"{file.path} is damaged {file.kind} data ({error}); compress or copy it again"
        ) from None
    return target


@contextmanager
def _opened(file: InputFile) -> Iterator[IO[bytes]]:
    if file.kind == "zip":
        with (
            zipfile.ZipFile(file.path) as archive,
            archive.open(zip_member(file.path)) as member,
        ):
            yield member
        return
    openers = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open, "zstd": _open_zstd}
    with openers[file.kind](file.path) as source:  # type: ignore[operator]  # one type each
        yield source


def _open_zstd(path: Path) -> IO[bytes]:
    stream: IO[bytes] = pa.input_stream(str(path), compression="zstd")
    return stream


def transcode(source: Path, target: Path, encoding: str, delimiter: str | None) -> tuple[Path, str]:
    """Write a text in UTF-8 and with one byte for a longer delimiter, if it is not so already.

    Bytes that the encoding does not know become bytes that are not UTF-8, so that only their
    record is set aside. Returns where the text is, and the delimiter in it ("" if none was given).
    """
    longer = delimiter is not None and len(delimiter.encode()) > 1
    if encoding == "utf-8" and not longer:
        return source, delimiter or ""
    for spare in _SPARE if longer else b"\0":
        try:
            with source.open("rb") as plain, target.open("wb") as out:
                pieces = _in_utf8(plain, encoding)
                if longer:
                    assert delimiter is not None
                    pieces = _shortened(pieces, delimiter.encode(), bytes([spare]))
                out.writelines(pieces)
        except _SpareInUseError:
            continue
        return target, chr(spare) if longer else delimiter or ""
    raise InputError(f"{source} uses all control characters; write it with a one-byte delimiter")


def _in_utf8(source: IO[bytes], encoding: str) -> Iterator[bytes]:
    if encoding == "utf-8":
        yield from iter(lambda: source.read(_CHUNK), b"")
        return
    decoder = codecs.getincrementaldecoder(encoding)("crossfade-damage")
    while piece := source.read(_CHUNK):
        yield decoder.decode(piece).encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", True).encode("utf-8", "surrogateescape")


def _damage(error: UnicodeError) -> tuple[str, int]:
    """Mark what cannot be decoded by a byte that no UTF-8 text has."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("crossfade-damage", _damage)


def _shortened(pieces: Iterator[bytes], delimiter: bytes, spare: bytes) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        if spare in piece:
            raise _SpareInUseError
        text = rest + piece
        last = text.rfind(b"\n") + 1  # a delimiter has no line break in it
        yield text[:last].replace(delimiter, spare)
        rest = text[last:]
    yield rest.replace(delimiter, spare)


def encoding_that_fits(data: bytes) -> str | None:
    """Return the encoding that bytes which are not UTF-8 seem to be in, if one does.

    The commonest one where it reads the text as the likeliest does, or where that is unknown.
    """
    sample = data[: 1 << 16]
    best = from_bytes(sample).best()
    try:
        usual = sample.decode(_USUAL)
    except UnicodeDecodeError:
        return None if best is None else best.encoding
    return _USUAL if best is None or str(best) == usual else best.encoding
