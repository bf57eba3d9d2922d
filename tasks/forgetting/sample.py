"""Take listeners out of the samples that were generated into the home."""

import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from tasks.sample.ownership import RECORD, publish_sample, written_by_sample
from warehouse.releases.home import Home

USERS = "user_id"
"""Column of the listener in every file of a sample that has one."""


def forget_in_samples(home: Home, listeners: Collection[str]) -> None:
    """Write the files of generated samples again without the listeners; safe to repeat.

    Files that were changed since are the user's own and stay.
    """
    ids = {listener.encode() for listener in listeners}
    for record in [*home.path.glob(RECORD), *home.path.glob(f"*/{RECORD}")]:
        folder = record.parent
        scratch = folder / ".forget"
        shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
        scratch.mkdir()
        try:
            for file in written_by_sample(folder):
                if file.suffix == ".csv" and not _written_without(file, ids, scratch / file.name):
                    (scratch / file.name).unlink(missing_ok=True)
            if any(scratch.iterdir()):
                publish_sample(scratch, folder)
        finally:
            shutil.rmtree(scratch)


def _written_without(file: Path, ids: Collection[bytes], target: Path) -> bool:
    """Write a CSV file without the rows of the listeners; tell whether it had any."""
    with file.open("rb") as source:
        header = source.readline()
        columns = header.rstrip(b"\r\n").split(b",")
        if USERS.encode() not in columns:
            return False
        position, found = columns.index(USERS.encode()), False

        def others() -> Iterator[bytes]:
            nonlocal found
            for line in source:
                if line.rstrip(b"\r\n").split(b",", position + 1)[position] in ids:
                    found = True
                else:
                    yield line

        with target.open("wb") as out:
            out.write(header)
            out.writelines(others())
    return found
