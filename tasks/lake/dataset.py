"""A reference to one finished Parquet file: what one stage hands to the next."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from warehouse.files import file_digest

BATCH_ROWS = 1 << 20
"""Rows of a piece that is read at a time."""


class Dataset(BaseModel):
    """A reference to one finished Parquet file: what one stage hands to the next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    rows: int
    bytes: int
    digest: str
    """BLAKE2b of the file's bytes; our writers are deterministic, so equal data, equal digest."""

    @classmethod
    def of(cls, path: Path) -> Self:
        """Describe the Parquet file at ``path``; reads it once to hash it."""
        rows = pq.read_metadata(path).num_rows
        return cls(path=path, rows=rows, bytes=path.stat().st_size, digest=file_digest(path))

    def read(self, columns: list[str] | None = None) -> pa.Table:
        """Read the file, or only the named columns of it."""
        return pq.read_table(self.path, columns=columns)

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Read the named columns piece by piece, in order, for what is too large to hold whole."""
        with pq.ParquetFile(self.path) as file:
            yield from file.iter_batches(BATCH_ROWS, columns=columns)

    def is_whole(self) -> bool:
        """Tell whether the file is there with the bytes it was recorded with."""
        return (
            self.path.is_file()
            and self.path.stat().st_size == self.bytes
            and file_digest(self.path) == self.digest
        )
