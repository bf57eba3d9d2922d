"""What a file is, by its bytes: its compression, its format, or what else it turns out to be."""

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

import pyarrow as pa

from tasks.dataset.folders import is_hidden
from tasks.dataset.foreign import foreign_format
from warehouse.errors import InputError

HEAD_BYTES = 1 << 20
BLOCK_BYTES = 1 << 18
MIDDLE_BLOCKS = 20
BUDGET = HEAD_BYTES + (MIDDLE_BLOCKS + 1) * BLOCK_BYTES
"""Bytes that are read of a file at most (decompressed); a smaller file is read whole."""

Compression = Literal["gzip", "zstd", "bzip2", "xz", "zip"]

_COMPRESSIONS: tuple[tuple[bytes, Compression], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "zip"),
)

_LFS = b"version https://git-lfs"
_MARKUP = re.compile(rb"\s*<(!doctype\s+html|html|head|body|script)\b", re.IGNORECASE)
_XML = re.compile(rb"\s*<(\?xml|[A-Za-z][\w:.-]*[\s>])")
_SECTIONS = re.compile(r"^\d+:\s*$", re.MULTILINE)


@dataclass(frozen=True)
class ByteSample:
    """A bounded part of a file's decompressed bytes."""

    blocks: tuple[bytes, ...]
    """The beginning of the file, then pieces that begin and end with whole lines."""
    share: float
    """How much of the file the blocks are, 1 for all of it."""
    compression: Compression | None


def sample_bytes(path: Path) -> ByteSample:
    """Read the head, blocks of the middle and the end of a file.

    Compressed files cannot be entered in the middle: of them a longer head is read. Raises
    InputError, naming what the file is, where it is no table at all.
    """
    with path.open("rb") as opened:
        start = opened.read(BLOCK_BYTES)
    compression = compression_of(start)
    if compression is None:
        _refuse_other_formats(path, start)
        return _sample_plain(path)
    try:
        with open_decompressed(path, compression) as inflated:
            head = inflated.read(BUDGET + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
        raise InputError(
            f"{path} is a damaged {compression} file ({error}); download or write it again"
        ) from None
    _refuse_other_formats(path, head)
    whole = len(head) <= BUDGET
    if not whole:
        head = _whole_lines(head[:BUDGET], from_start=True)
    packed = path.stat().st_size
    # Text shrinks to a quarter or so; good enough to say how much was seen.
    share = 1.0 if whole else min(1.0, len(head) / (4.0 * packed))
    return ByteSample((head,), share, compression)


def decodes(path: Path, encoding: str) -> bool:
    """Tell whether a file's sample is text of an encoding."""
    try:
        for block in sample_bytes(path).blocks:
            block.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def compression_of(start: bytes) -> Compression | None:
    """Return the compression whose magic number ``start`` has."""
    return next((name for magic, name in _COMPRESSIONS if start.startswith(magic)), None)


@contextmanager
def open_decompressed(path: Path, compression: Compression) -> Iterator[IO[bytes]]:
    """Open a compressed file for reading; of a zip archive its only member.

    Raises InputError for archives with several members and for what only looks like a zip.
    """
    if compression == "gzip":
        with gzip.open(path, "rb") as inflated:
            yield cast("IO[bytes]", inflated)
    elif compression == "bzip2":
        with bz2.open(path, "rb") as inflated:
            yield cast("IO[bytes]", inflated)
    elif compression == "xz":
        with lzma.open(path, "rb") as inflated:
            yield cast("IO[bytes]", inflated)
    elif compression == "zstd":
        with pa.input_stream(str(path), compression="zstd") as inflated:
            yield inflated
    else:
        with zipfile.ZipFile(path) as archive, archive.open(_only_member(path, archive)) as member:
            yield member


def _only_member(path: Path, archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if "[Content_Types].xml" in names:
        what = "an Excel workbook (.xlsx)" if any(n.startswith("xl/") for n in names) else None
        raise InputError(
            f"{path} is {what or 'an Office document'}, not a text table; save its sheet as CSV"
        )
    if "mimetype" in names and "content.xml" in names:
        raise InputError(f"{path} is an OpenDocument file; save its sheet as CSV")
    if any(name.endswith(".npy") for name in names):
        raise InputError(f"{path} is a NumPy archive; write a row per play as CSV or Parquet")
    visible = [
        name for name in names
        if not name.startswith("__MACOSX/") and not is_hidden(name.rpartition("/")[2])
    ]  # fmt: skip
    if len(visible) != 1:
        listed = ", ".join(visible[:5]) + (", …" if len(visible) > 5 else "")
        raise InputError(
            f"{path} is a zip archive with {len(visible)} files ({listed}); unpack it and give "
            "the files"
        )
    return visible[0]


def _refuse_other_formats(path: Path, start: bytes) -> None:
    """Raise InputError if the bytes are something known that is not a table."""
    if foreign := foreign_format(start):
        raise InputError(f"{path} is {foreign.what}; {foreign.advice}")
    if start.startswith(_LFS):
        raise InputError(f"{path} is a Git LFS pointer, not the data; run `git lfs pull`")
    if start[257:262] == b"ustar" or (len(start) >= 512 and _is_tar_header(start[:512])):
        raise InputError(f"{path} is a tar archive; unpack it and give the files in it")
    if _MARKUP.match(start):
        raise InputError(
            f"{path} is an HTML page, probably a sign-in or error page; download the data again"
        )
    if _XML.match(start):
        raise InputError(f"{path} is an XML document; convert it to CSV or JSON lines")
    if b"\x00" in start[:4096] and not _may_be_wide(start):
        raise InputError(f"{path} is a binary file of an unknown kind; write it as CSV or Parquet")


def _is_tar_header(block: bytes) -> bool:
    if block[0] == 0:
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _may_be_wide(start: bytes) -> bool:
    """Tell whether NUL bytes are explained by UTF-16 or UTF-32."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return True
    piece = start[:4096]
    odd, even = piece[1::2].count(0), piece[::2].count(0)
    return max(odd, even) > 0.6 * (len(piece) // 2) or min(odd, even) == 0


def refuse_sections(path: Path, text: str) -> None:
    """Raise InputError for rows grouped under lines such as ``17:`` (as the Netflix Prize's)."""
    head = text[:20_000]
    marks = len(_SECTIONS.findall(head))
    if marks and re.match(r"\d+:\s*\n", head):
        raise InputError(
            f"{path} groups its rows under lines such as `{head.split(':', 1)[0]}:`; write that "
            "id into every row, as a column of its own"
        )


def _sample_plain(path: Path) -> ByteSample:
    size = path.stat().st_size
    with path.open("rb") as opened:
        if size <= BUDGET:
            return ByteSample((opened.read(),), 1.0, None)
        blocks = [_whole_lines(opened.read(HEAD_BYTES), from_start=True)]
        step = (size - HEAD_BYTES - BLOCK_BYTES) / (MIDDLE_BLOCKS + 1)
        for number in range(1, MIDDLE_BLOCKS + 1):
            opened.seek(int(HEAD_BYTES + step * number))
            blocks.append(_whole_lines(opened.read(BLOCK_BYTES), from_start=False))
        opened.seek(size - BLOCK_BYTES)
        blocks.append(opened.read().partition(b"\n")[2])
    read = sum(map(len, blocks))
    return ByteSample(tuple(block for block in blocks if block), read / size, None)


def _whole_lines(block: bytes, *, from_start: bool) -> bytes:
    """Cut a block back to whole lines."""
    if not from_start:
        block = block.partition(b"\n")[2]
    head, newline, _ = block.rpartition(b"\n")
    return head + newline if newline else block
