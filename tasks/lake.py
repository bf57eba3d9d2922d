"""The lake: stages hand each other Parquet files with a content hash, never frames.

A stage writes into ``lake/<stage>/<key>/``, where the key is a hash of everything that decides
its result: the content of its inputs, its parameters and its own source code. ``stage.json`` is
written last and lists every file with its digest; a folder without it is a run that was cut off
and whose part files the next run picks up.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from tasks.contracts.breaches import hold
from tasks.errors import RunError
from warehouse.manifest import file_digest

RECORD = "stage.json"

BY_FILE = ("exposures", "events")
"""Stages with one result per input file, so that the next run reads only new files."""

BATCH_ROWS = 1 << 20
"""Rows of a piece that is read at a time."""

KEPT_SECONDS = 30 * 86_400
"""How long the result for a file is kept that no run uses any more."""


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


class StageResult(BaseModel):
    """What a finished stage left behind: its datasets, its counts and what it took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    key: str
    datasets: dict[str, Dataset]
    counts: dict[str, int | float | str]
    seconds: float
    reused: bool = False
    """True when this run found the result finished and did not compute it again."""

    def __getitem__(self, name: str) -> Dataset:
        return self.datasets[name]


def counts_in_words(result: StageResult) -> str:
    """Return a stage's counts as people read them: "tracks 50,683, users 962,037"."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{name} {value}"
        for name, value in result.counts.items()
    )


def fingerprint(**parts: Any) -> str:
    """Hash named JSON-like values (pydantic models and paths included) into one short key."""
    text = json.dumps(parts, sort_keys=True, default=_plain)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


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


class Stage:
    """One stage's folder in the lake.

    Use: look for `finished`; if there is none, write files into `folder`, then `finish`.
    """

    def __init__(self, lake: Path, name: str, **decides: Any) -> None:
        """Open the stage's folder for what ``decides`` its result (see `fingerprint`)."""
        self.name = name
        self.key = fingerprint(stage=name, **decides)
        self.folder = lake / name / self.key
        self.folder.mkdir(parents=True, exist_ok=True)

    def finished(self) -> StageResult | None:
        """Return the recorded result if every file of it is whole, else None.

        A damaged or missing file takes the record with it, so that the stage runs again.
        """
        record = self.folder / RECORD
        if not record.is_file():
            return None
        try:
            result = StageResult.model_validate_json(record.read_text())
        except ValueError:
            record.unlink()
            return None
        here = {
            name: dataset.model_copy(update={"path": self.folder / dataset.path})
            for name, dataset in result.datasets.items()
        }
        damaged = [dataset.path for dataset in here.values() if not dataset.is_whole()]
        if damaged:
            record.unlink()
            for path in damaged:  # a part file among them must not pass for a finished block
                path.unlink(missing_ok=True)
            return None
        os.utime(self.folder)  # `forget_unused` keeps what was used last
        return result.model_copy(update={"datasets": here, "reused": True})

    def finish(
        self,
        seconds: float,
        counts: Mapping[str, int | float | str],
        held: Collection[str] = (),
        /,
        **files: Path,
    ) -> StageResult:
        """Record the named files as the stage's result and drop its scratch files.

        Raises RunError when one breaks its contract (tasks.contracts); the folder goes then, so
        that the next run makes all of it again. Datasets named in ``held`` were held to theirs
        before they were written.
        """
        try:
            hold(self.name, {name: path for name, path in files.items() if name not in held})
        except RunError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        with ThreadPoolExecutor() as side_by_side:
            datasets = dict(zip(files, side_by_side.map(Dataset.of, files.values()), strict=True))
        result = StageResult(
            stage=self.name,
            key=self.key,
            datasets=datasets,
            counts=dict(counts),
            seconds=round(seconds, 3),
        )
        relative = {
            name: dataset.model_copy(update={"path": dataset.path.relative_to(self.folder)})
            for name, dataset in datasets.items()
        }
        partial = self.folder / f".{RECORD}.{os.getpid()}"
        partial.write_text(result.model_copy(update={"datasets": relative}).model_dump_json())
        publish_file(partial, self.folder / RECORD)
        shutil.rmtree(self.scratch, ignore_errors=True)
        return result

    @property
    def scratch(self) -> Path:
        """A folder for part files; it outlives a killed run and goes when the stage is done."""
        folder = self.folder / "parts"
        folder.mkdir(exist_ok=True)
        return folder


def forget_unused(lake: Path, keep: int) -> list[Path]:
    """Delete all but the ``keep`` most recently used results of every stage.

    Those of `BY_FILE` stages stay while a run has used them within `KEPT_SECONDS`.
    """
    gone = []
    oldest = time.time() - KEPT_SECONDS
    for stage in sorted(path for path in lake.iterdir() if path.is_dir()):
        by_use = sorted(stage.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        unused = [path for path in by_use if path.stat().st_mtime < oldest]
        for folder in unused if stage.name in BY_FILE else by_use[keep:]:
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder)
    return gone
