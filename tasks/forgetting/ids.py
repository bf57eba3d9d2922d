"""The file that says who is forgotten: one id per line."""

import re
from pathlib import Path

from warehouse.errors import InputError
from warehouse.listener_ids import WHITE

_BOM = "\ufeff"


def read_ids(path: Path) -> list[str]:
    """Return the ids in a file, each once, in order, without white space around them.

    Blank lines, a byte order mark and any line ending are fine. Raises InputError for a file that
    cannot be read as a list of ids.
    """
    if "\0" in str(path):
        raise InputError(f"the path {str(path)!r} has a NUL character in it; give a real path")
    try:
        data = path.read_bytes()
    except IsADirectoryError:
        raise InputError(
            f"{path} is a folder; give a file with one listener's id per line"
        ) from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); give a file with one listener's id per line"
        ) from None
    if b"\0" in data:
        raise InputError(
            f"{path} has NUL bytes, so it is no text in UTF-8; save it as UTF-8 with one "
            "listener's id per line"
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{path}, line {line}: it is not UTF-8; save the file as UTF-8") from None
    lines = (line.strip(WHITE) for line in re.split(r"\r\n|\r|\n", text.removeprefix(_BOM)))
    ids = list(dict.fromkeys(line for line in lines if line))
    if not ids:
        raise InputError(f"{path} names nobody; give a file with one listener's id per line")
    return ids
