"""Write files so that they are whole or absent, whatever happens."""

import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def write_parquet(table: pa.Table, path: Path, **options: Any) -> None:
    """Write one Parquet file so that it is whole or absent (temporary name, fsync, rename)."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    pq.write_table(table, partial, compression="zstd", compression_level=1, **options)
    publish_file(partial, path)


def publish_file(partial: Path, path: Path) -> None:
    """Give a finished temporary file its name, durably."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def link_file(source: Path, path: Path) -> None:
    """Give a finished file a second name, or copy it where the file system has no hard links."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    try:
        os.link(source, partial)
    except OSError:
        shutil.copyfile(source, partial)
    publish_file(partial, path)
