"""Keyed hashes of the listeners who were forgotten: their rows are known by them, nothing else.

`crossfade forget` writes them beside the lake. The key never leaves the home: without it a hash
cannot be tried against ids, and with it only one id after the other.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from warehouse.errors import RunError
from warehouse.listener_ids import WHITE

FOLDER, KEY, HASHES = "forgotten", "key", "hashes"
"""The folder in the home, and the files in it; all of them for their owner alone."""

_BYTES = 16
_DISTINCTIVE = 6
"""Characters from which on an id is no other value of a row by chance."""

_PARTS = 8
_LONGEST = 20_000
_WORD = re.compile(r"\w+")
_BETWEEN = re.compile(r"""[,;\t|"'\x01]""")


@dataclass(frozen=True)
class Tombstones:
    """The listeners that were forgotten in a home."""

    key: bytes = b""
    hashes: frozenset[bytes] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return bool(self.hashes)

    @property
    def digest(self) -> str:
        """Hash of them all, part of the keys of what is read without them; empty without any."""
        if not self:
            return ""
        return hashlib.blake2b(b"".join(sorted(self.hashes)), digest_size=12).hexdigest()

    def hash_of(self, listener: str) -> bytes:
        """Hash an id (BLAKE2b with the key, 128 bits)."""
        text = listener.strip(WHITE).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self.key[:64], digest_size=_BYTES).digest()

    def among(self, ids: pa.ChunkedArray | pa.Array) -> NDArray[np.bool_]:
        """Tell which of the ids were forgotten; about a microsecond for each."""
        if not self:
            return np.zeros(len(ids), np.bool_)
        found = (one is not None and self.hash_of(one) in self.hashes for one in ids.to_pylist())
        return np.fromiter(found, np.bool_, len(ids))

    def name(self, row: str, is_split: bool) -> bool:
        """Tell whether the text of a row that is set aside names somebody who was forgotten.

        In a row that could be split into fields (``is_split``) the field of the listener has been
        looked at, and only what is too long to be a number or a word is looked for in the others.
        In one that could not be split, every part counts.
        """
        if not self:
            return False
        least = _DISTINCTIVE if is_split else 1
        return any(self.hash_of(part) in self.hashes for part in _parts_of(row[:_LONGEST], least))


NOBODY = Tombstones()


def tombstones_of(lake: Path) -> Tombstones:
    """Return who was forgotten in the home of a lake; nobody without `crossfade forget`.

    Raises RunError if that cannot be read: without it, they would come back.
    """
    folder = lake.parent / FOLDER
    try:
        lines = (folder / HASHES).read_text().split()
        key = (folder / KEY).read_text().strip().encode()
    except FileNotFoundError as error:
        if not (folder / HASHES).exists():
            return NOBODY
        raise _unreadable(folder, error) from None
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from None
    try:
        return Tombstones(key, frozenset(bytes.fromhex(line) for line in lines))
    except ValueError as error:
        raise _unreadable(folder, error) from None


def _unreadable(folder: Path, error: Exception) -> RunError:
    return RunError(
        f"{folder} cannot be read ({error}), so forgotten listeners would come back; restore its "
        f"files `{KEY}` and `{HASHES}` from a backup, or delete the folder and forget them again"
    )


def _parts_of(row: str, least: int) -> Iterable[str]:
    """Yield the fields of a text, and every run of words with what stands between them."""
    yield from (one for one in map(str.strip, _BETWEEN.split(row)) if len(one) >= least)
    words = [match.span() for match in _WORD.finditer(row)]
    for first, (start, _) in enumerate(words):
        for _, stop in words[first : first + _PARTS]:
            if stop - start >= least:
                yield row[start:stop]
