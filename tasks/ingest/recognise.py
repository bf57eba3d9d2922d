"""What a file is, by its first bytes and not by its name."""

import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tasks.dataset.foreign import foreign_format
from warehouse.errors import InputError

_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
}
_TEXTS = {
    b"<!doctype html": "an HTML page, perhaps of a login or an error; download the data itself",
    b"<html": "an HTML page, perhaps of a login or an error; download the data itself",
    b"<?xml": "an XML document",
    b"version https://git-lfs.github.com": "a Git LFS pointer, not the file; run `git lfs pull`",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_READ = "give CSV, JSON or Parquet"


@dataclass(frozen=True)
class InputFile:
    """One input file, before it is opened."""

    path: Path
    name: str
    """How reports call it, see `tell_apart`."""
    kind: str
    """csv (any text), json, parquet, or how it is compressed: gzip, zstd, bzip2, xz, zip."""
    partitions: tuple[tuple[str, str], ...] = ()
    """Columns that the folders above it name, as in ``year=2024/``, and their values."""

    @property
    def is_empty(self) -> bool:
        """Tell whether the file has no bytes."""
        return self.kind == "empty"


def recognise(path: Path, field: str, encoding: str = "utf-8") -> InputFile:
    """See what a file is; an empty one is of kind `empty`.

    Raises InputError for what is no regular file or is nothing that can be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{path} is a folder without data files; check `{field}`")
        if not stat.S_ISREG(mode):
            raise InputError(
                f"{path} is {_special(mode)}, not a regular file; write the data to a file and "
                f"give that in `{field}`"
            )
        with path.open("rb") as file:
            head = file.read(1024)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; check `{field}`") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check `{field}`") from None
    kind = kind_of(path, head, field, encoding)
    if kind == "zip":
        zip_member(path)
    return InputFile(path=path, name=path.name, kind=kind)


def kind_of(path: Path, head: bytes, field: str, encoding: str = "utf-8") -> str:
    """Return what a file with these first bytes is. Raises InputError for a foreign one."""
    if not head:
        return "empty"
    if head.startswith(b"PAR1"):
        return "parquet"
    for magic, kind in _COMPRESSED.items():
        if head.startswith(magic):
            return kind
    if head[257:262] == b"ustar":
        raise InputError(
            f"{path} is a tar archive; unpack it and give the files in it in `{field}`"
        )
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, what in _TEXTS.items():
        if start[:64].lower().startswith(magic):
            raise InputError(f"{path} is {what}; {_READ} in `{field}`")
    if head.startswith(_UTF16) and "16" not in encoding and "32" not in encoding:
        table = field.rsplit(".", 1)[0]
        raise InputError(
            f'{path} is UTF-16 text; write encoding = "utf-16" under [{table}] of a dataset TOML'
        )
    if foreign := foreign_format(head):
        raise InputError(
            f"{path} is {foreign.what}, not a CSV; {foreign.advice}, and give that in `{field}`"
        )
    return "json" if start[:1] == b"{" or (start[:1] == b"[" and _opens_array(start)) else "csv"


def _opens_array(start: bytes) -> bool:
    return start[1:].lstrip()[:1] in (b"{", b"]", b"")


def _special(mode: int) -> str:
    kinds = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something special")


def zip_member(path: Path) -> zipfile.ZipInfo:
    """Return the only file in a zip archive. Raises InputError for none, several or a workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise InputError(f"{path} is a damaged zip archive ({error}); copy it again") from None
    names = [one.filename for one in members]
    if any(name.startswith(("xl/", "word/")) for name in names):
        raise InputError(f"{path} is an Excel workbook or a like document; save the sheet as CSV")
    members = [
        one
        for one in members
        if not one.filename.startswith("__MACOSX/")
        and not one.filename.rsplit("/", 1)[-1].startswith(".")
    ]
    if len(members) != 1:
        shown = ", ".join(one.filename for one in members[:5]) or "nothing"
        raise InputError(
            f"{path} is a zip archive of {len(members)} files ({shown}); unpack it and give the "
            "right one"
        )
    if members[0].flag_bits & 1:
        raise InputError(f"{path} is a zip archive with a password; unpack it first")
    return members[0]
