"""Look at the bytes of input files: what they hash to, and whether a file is plain.

Both read in pieces on a few threads; hashing and searching release the GIL or take little of it.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.ingest.dialect import BOM
from tasks.ingest.recognise import InputFile

PIECE = 1 << 23
_LF = 10
_ALIGN = 1 << 16


@dataclass(frozen=True)
class TextFacts:
    """What a look at a text file's bytes tells about its structure."""

    lines: int
    """Lines that are not blank, the header included."""
    delimiters: int
    plain: bool
    """UTF-8 without quotes, NUL bytes, inner byte order marks or mixed line ends: a line is a
    record and a delimiter always parts two fields."""


def input_digests(files: Sequence[InputFile]) -> dict[str, str]:
    """Hash every file's bytes: name → hex digest. Names, times and folders play no part.

    The digest is SHA-256 over the SHA-256 of each 8 MB piece, so that one large file is hashed on
    several threads.
    """
    digests = {}
    with ThreadPoolExecutor(_threads()) as pool:
        for file in files:
            pieces = range(0, max(file.path.stat().st_size, 1), PIECE)
            parts = pool.map(lambda start, path=file.path: _piece_digest(path, start), pieces)
            digests[file.name] = hashlib.sha256(b"".join(parts)).hexdigest()[:32]
    return digests


def _piece_digest(path: Path, start: int) -> bytes:
    return hashlib.sha256(_read(path, start, start + PIECE)).digest()


def look_at(path: Path, delimiter: str, quote: str = '"') -> TextFacts:
    """Count lines and delimiters of a text file and tell whether it is plain (see `TextFacts`).

    Without a ``quote`` the quotes in it are characters like any other.
    """
    marks = delimiter.encode(), quote.encode()
    with ThreadPoolExecutor(_threads()) as pool:
        pieces = list(pool.map(lambda span: _look_at_piece(path, span, *marks), _spans(path)))
    styles = {style for _, _, style in pieces if style != "none"}
    return TextFacts(
        lines=sum(lines for lines, _, _ in pieces),
        delimiters=sum(delimiters for _, delimiters, _ in pieces),
        plain=len(styles) <= 1 and "odd" not in styles,
    )


def _look_at_piece(
    path: Path, span: tuple[int, int], mark: bytes, quote: bytes
) -> tuple[int, int, str]:
    """Return lines, delimiters and the style of line ends (lf, crlf, none, or odd: not plain)."""
    text = _read(path, *span)
    if span[0] == 0:
        text = text.removeprefix(BOM)
    array = np.frombuffer(text, np.uint8)
    feeds = array == _LF
    ends = int(np.count_nonzero(feeds))
    lines = ends + (not text.endswith(b"\n"))
    if (quote and quote in text) or b"\0" in text or not _is_utf8(text):
        return lines, 0, "odd"
    returns = text.count(b"\r") if b"\r" in text else 0
    if returns and not returns == ends == text.count(b"\r\n"):
        return lines, 0, "odd"
    width = 2 if returns else 1
    blank = int(np.count_nonzero(feeds[width:] & feeds[:-width])) + text.startswith((b"\n", b"\r"))
    style = "crlf" if returns else ("lf" if ends else "none")
    return lines - blank, int(np.count_nonzero(array == mark[0])), style


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    if BOM in text:
        return False
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _spans(path: Path) -> Iterator[tuple[int, int]]:
    """Cut a file into pieces that end after a line feed."""
    size = path.stat().st_size
    start = 0
    while start < size:
        stop = min(start + PIECE, size)
        while stop < size:
            tail = _read(path, stop - 1, stop - 1 + _ALIGN)
            found = tail.find(b"\n")
            stop += found if found >= 0 else len(tail) - 1
            if found >= 0 or len(tail) <= 1:
                break
        yield start, stop
        start = stop


def _read(path: Path, start: int, stop: int) -> bytes:
    handle = os.open(path, os.O_RDONLY)
    try:
        return os.pread(handle, stop - start, start)
    finally:
        os.close(handle)


def _threads() -> int:
    return min(8, os.cpu_count() or 1)
