"""Which files in a folder an earlier sample wrote: those alone may be replaced by the next."""

import json
import os
from pathlib import Path

from tasks.lake.files import publish_file
from warehouse.errors import InputError
from warehouse.files import file_digest

RECORD = ".crossfade-sample.json"
"""In the folder of a sample: file name to the digests of what samples wrote under it."""


def publish_sample(scratch: Path, out: Path) -> None:
    """Move the files of ``scratch`` into ``out``.

    Raises InputError, with nothing moved, if one would replace a file that no sample wrote or that
    was changed since.
    """
    new = {path.name: file_digest(path) for path in sorted(scratch.iterdir())}
    written = _read(out)
    foreign = [
        name for name in new if not _is_ours(out / name, {*written.get(name, []), new[name]})
    ]
    if foreign:
        raise InputError(
            f"{out / foreign[0]} was not written by `crossfade sample` or was changed since, and "
            "would be overwritten; give --out another folder, or move the file away"
        )
    # Both digests, in case this process ends between two of the renames.
    _record(out, {**written, **{name: [*written.get(name, []), new[name]] for name in new}})
    for name in new:
        publish_file(scratch / name, out / name)
    _record(out, {**written, **{name: [digest] for name, digest in new.items()}})


def written_by_sample(out: Path) -> list[Path]:
    """Return the files of a folder that a sample wrote and nobody has changed since."""
    recorded = _read(out)
    return [
        out / name
        for name, digests in recorded.items()
        if (out / name).is_file() and _is_ours(out / name, {*digests})
    ]


def _is_ours(path: Path, digests: set[str]) -> bool:
    if not os.path.lexists(path):
        return True
    return path.is_file() and not path.is_symlink() and file_digest(path) in digests


def _read(out: Path) -> dict[str, list[str]]:
    """Return what was recorded; nothing if that cannot be read."""
    try:
        recorded = json.loads((out / RECORD).read_text())
        return {str(name): [str(digest) for digest in recorded[name]] for name in recorded}
    except (OSError, ValueError, TypeError):
        return {}


def _record(out: Path, written: dict[str, list[str]]) -> None:
    partial = out / f"{RECORD}.{os.getpid()}"
    partial.write_text(json.dumps(written, indent=1) + "\n")
    publish_file(partial, out / RECORD)
