"""A plain, slow reader of the CSV grammar: one character after the other, nothing clever."""

import re
from collections.abc import Collection
from dataclasses import dataclass

BOM = "\ufeff".encode()


@dataclass(frozen=True)
class Line:
    """A physical line; ``text`` without its line end."""

    text: bytes
    end: bytes


def split_lines(content: bytes) -> list[Line]:
    """Cut at CRLF, LF or CR."""
    found = re.findall(rb"([^\r\n]*)(\r\n|\n|\r|$)", content)
    lines = [Line(text, end) for text, end in found]
    return lines[:-1] if lines and lines[-1] == Line(b"", b"") else lines


def read(
    content: bytes, fields: int, delimiter: bytes, single_line: Collection[int]
) -> tuple[list[tuple[int, list[bytes]]], list[tuple[int, str, bytes]]]:
    """Return good records (number, fields) and rejected ones (number, reason, bytes)."""
    lines = split_lines(content)
    good: list[tuple[int, list[bytes]]] = []
    bad: list[tuple[int, str, bytes]] = []
    number, at, header = 0, 0, True
    while at < len(lines):
        line = lines[at] = Line(without_marks(lines[at].text), lines[at].end)
        if not line.text:
            at += 1
            continue
        number += 1
        if header:
            header, at = False, at + 1
            continue
        reason = unreadable(line.text)
        taken = 1
        values: list[bytes] = []
        if not reason:
            reason, values, taken = parse(lines, at, fields, delimiter, single_line)
        if reason:
            bad.append((number, reason, line.text))
            taken = 1
        else:
            good.append((number, values))
        at += taken
    return good, bad


def without_marks(text: bytes) -> bytes:
    """Drop byte order marks from the start."""
    while text.startswith(BOM):
        text = text.removeprefix(BOM)
    return text


def unreadable(text: bytes) -> str:
    """Say why bytes are no text."""
    if b"\0" in text:
        return "nul_byte"
    try:
        text.decode()
    except UnicodeDecodeError:
        return "not_utf8"
    return ""


def parse(
    lines: list[Line], at: int, fields: int, delimiter: bytes, single_line: Collection[int]
) -> tuple[str, list[bytes], int]:
    """Read the record that starts on line ``at``: reason, fields, lines used."""
    values: list[bytes] = []
    line, column = at, 0
    while True:
        text = lines[line].text
        if text[column : column + 1] == b'"':
            value, column, begun = b"", column + 1, line
            while True:
                text = lines[line].text
                if column == len(text):
                    if line + 1 == len(lines):
                        return "open_quote", [], 1
                    value, line, column = value + lines[line].end, line + 1, 0
                elif text[column : column + 2] == b'""':
                    value, column = value + b'"', column + 2
                elif text[column : column + 1] == b'"':
                    column += 1
                    break
                else:
                    value, column = value + text[column : column + 1], column + 1
            if line > begun and len(values) in single_line:
                return "open_quote", [], 1
            text = lines[line].text
            if column < len(text) and text[column : column + 1] != delimiter:
                return ("open_quote" if line > at else "text_after_quote"), [], 1
            values.append(value)
        else:
            stop = text.find(delimiter, column)
            stop = len(text) if stop < 0 else stop
            values.append(text[column:stop])
            column = stop
        if column == len(text):
            break
        column += 1
    if line > at and any(unreadable(part.text) for part in lines[at + 1 : line + 1]):
        return "open_quote", [], 1
    if len(values) == fields:
        return "", values, line - at + 1
    if line > at:
        return "open_quote", [], 1
    return ("too_few_fields" if len(values) < fields else "too_many_fields"), [], 1
