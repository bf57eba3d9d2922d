"""Which encoding bytes are in, with the evidence for it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from charset_normalizer import from_bytes

from tasks.dataset.detect.sureness import Sureness

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
HIGH = re.compile(rb"[\x80-\xff]+")
_SINGLE_BYTE = ("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "mac_roman")
MULTI_BYTE = ("gb18030", "shift_jis", "euc_jp", "euc_kr", "big5")
ALL_ASCII = "all ASCII"
"""The reason where any encoding would do."""
_EVIDENCE_BYTES = 200_000


@dataclass(frozen=True)
class Encoding:
    """An encoding as Python and iconv call it."""

    name: str
    sureness: Sureness
    reason: str
    is_damaged: bool = False
    """UTF-8 with a few bytes that are not."""


def detect_encoding(blocks: Sequence[bytes]) -> Encoding:
    """Decide by byte order mark, by validity as UTF-8, then by what the text would say."""
    for mark, name in _BOMS:
        if blocks[0].startswith(mark):
            return Encoding(name, Sureness.SURE, "it begins with a byte order mark")
    wide = _wide(blocks[0])
    if wide:
        return Encoding(wide, Sureness.LIKELY, "every other byte is zero")
    valid, invalid = _utf8_sequences(blocks)
    if not invalid:
        reason = f"{valid:,} non-ASCII sequences are valid UTF-8" if valid else ALL_ASCII
        return Encoding("utf-8", Sureness.SURE, reason)
    if valid > 4 * invalid:
        return Encoding(
            "utf-8",
            Sureness.LIKELY,
            f"{valid:,} sequences are valid UTF-8 and {invalid:,} are not",
            is_damaged=True,
        )
    return _legacy(_non_ascii_lines(blocks))


def _wide(block: bytes) -> str | None:
    piece = block[:8192]
    half = len(piece) // 2
    if half < 8:
        return None
    if piece[1::2].count(0) > 0.6 * half and piece[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if piece[::2].count(0) > 0.6 * half and piece[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _utf8_sequences(blocks: Sequence[bytes]) -> tuple[int, int]:
    """Count the runs of bytes above 127 that are valid UTF-8, and those that are not."""
    valid = invalid = 0
    for block in blocks:
        for run in HIGH.findall(block):
            try:
                run.decode("utf-8")
                valid += 1
            except UnicodeDecodeError:
                invalid += 1
    return valid, invalid


def _non_ascii_lines(blocks: Sequence[bytes]) -> bytes:
    found: list[bytes] = []
    size = 0
    for block in blocks:
        for line in block.splitlines():
            if not line.isascii():
                found.append(line)
                size += len(line)
                if size > _EVIDENCE_BYTES:
                    return b"\n".join(found)
    return b"\n".join(found)


def _legacy(lines: bytes) -> Encoding:
    """Choose among the encodings before Unicode by how plausible the words are."""
    scores = {name: _word_score(lines, name) for name in _SINGLE_BYTE}
    best = max(scores, key=lambda name: scores[name])
    western = scores["cp1252"]
    runs = HIGH.findall(lines)
    isolated = sum(len(run) <= 2 for run in runs) / len(runs)
    if isolated > 0.8 and western >= scores[best] - 0.02:
        # The two differ only in bytes 0x80 to 0x9f, which Latin-1 leaves to control codes.
        name = "cp1252" if re.search(rb"[\x80-\x9f]", lines) else "latin-1"
        likely = western > 0.9 and _in_words(lines, name)
        sure = Sureness.LIKELY if likely else Sureness.GUESS
        return Encoding(name, sure, f"not UTF-8; as {name} it reads {_words(lines, name)}")
    if isolated > 0.8 and scores[best] > 0.9:
        return Encoding(
            best, Sureness.GUESS, f"not UTF-8; as {best} it reads {_words(lines, best)}"
        )
    match = from_bytes(lines, cp_isolation=[*_SINGLE_BYTE, *MULTI_BYTE]).best()
    name = match.encoding if match else best
    return Encoding(name, Sureness.GUESS, f"not UTF-8; as {name} it reads {_words(lines, name)}")


def _word_score(lines: bytes, name: str) -> float:
    """Return the share of non-ASCII characters that fit the letters around them."""
    text = lines.decode(name, errors="replace")
    good = total = 0
    for before, char, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if char.isascii():
            continue
        category = unicodedata.category(char)
        beside_letters = before.isalpha() or after.isalpha()
        if category[0] == "L" and not beside_letters:
            continue  # a letter alone is one in every encoding
        total += 1
        if category == "Ll":
            good += beside_letters
        elif category == "Lu":
            good += not before.islower()
        elif category[0] == "P" or char in "°©®™€£½¼¾²³ªº\xa0":  # common outside of words
            good += not (before.isalpha() and after.isalpha()) or char in "’‘"
    return good / total if total else 1.0


def _in_words(lines: bytes, name: str) -> bool:
    """Tell whether letters beyond ASCII stand in words of ASCII letters, as Western ones do."""
    text = lines.decode(name, errors="replace")
    return any(
        not word.isascii() and any(char.isascii() and char.isalpha() for char in word)
        for word in re.findall(r"[^\W\d_]+", text)
    )


def _words(lines: bytes, name: str) -> str:
    """Quote a few words that show the encoding."""
    text = lines.decode(name, errors="replace")
    words = dict.fromkeys(word for word in re.findall(r"\w+", text) if not word.isascii())
    return ", ".join(list(words)[:3]) or "symbols"
