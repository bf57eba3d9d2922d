"""The lake: stages hand each other Parquet files with a content hash, never frames.

A stage writes into ``lake/<stage>/<key>/``, where the key is a hash of everything that decides
its result: the content of its inputs, its parameters and its own source code. ``stage.json`` is
written last and lists every file with its digest; a folder without it is a run that was cut off
and whose part files the next run picks up.
"""

import os
import shutil
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tasks.lake.contracts.breaches import hold
from tasks.lake.contracts.contract import StageContract
from tasks.lake.dataset import Dataset
from tasks.lake.files import publish_file
from tasks.lake.keys import fingerprint
from warehouse.errors import RunError

RECORD = "stage.json"


class StageResult(BaseModel):
    """What a finished stage left behind: its datasets, its counts and what it took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    key: str
    datasets: dict[str, Dataset]
    counts: dict[str, int | float | str]
    seconds: float
    inputs: dict[str, str] = {}
    """Digest of every input file by name, for a stage that reads files; not recorded."""
    reused: bool = False
    """True when this run found the result finished and did not compute it again."""

    def __getitem__(self, name: str) -> Dataset:
        return self.datasets[name]


def read_record(folder: Path) -> StageResult:
    """Return what the record in a stage's folder says, its files with their paths.

    Whether they are whole is not looked at. Raises OSError where there is no record, ValueError
    for one that cannot be read.
    """
    result = StageResult.model_validate_json((folder / RECORD).read_text())
    here = {
        name: dataset.model_copy(update={"path": folder / dataset.path})
        for name, dataset in result.datasets.items()
    }
    return result.model_copy(update={"datasets": here})


def finished_in(folder: Path) -> StageResult | None:
    """Return the result recorded in a stage's folder if every file of it is whole, else None.

    A damaged or missing file takes the record with it, so that the stage runs again.
    """
    record = folder / RECORD
    if not record.is_file():
        return None
    try:
        result = read_record(folder)
    except ValueError:
        record.unlink()
        return None
    damaged = [one.path for one in result.datasets.values() if not one.is_whole()]
    if damaged:
        record.unlink()
        for path in damaged:  # a part file among them must not pass for a finished block
            path.unlink(missing_ok=True)
        return None
    os.utime(folder)  # `forget_unused` keeps what was used last
    return result.model_copy(update={"reused": True})


class Stage:
    """One stage's folder in the lake.

    Use: look for `finished`; if there is none, write files into `folder`, then `finish`.
    """

    def __init__(self, lake: Path, contract: StageContract, **decides: Any) -> None:
        """Open the stage's folder for what ``decides`` its result (see `fingerprint`)."""
        self.contract = contract
        self.key = fingerprint(stage=contract.stage, **decides)
        self.folder = lake / contract.stage / self.key
        self.folder.mkdir(parents=True, exist_ok=True)

    def finished(self) -> StageResult | None:
        """Return the recorded result if every file of it is whole, else None."""
        return finished_in(self.folder)

    def finish(
        self,
        seconds: float,
        counts: Mapping[str, int | float | str],
        held: Collection[str] = (),
        /,
        **files: Path,
    ) -> StageResult:
        """Record the named files as the stage's result and drop its scratch files.

        Raises RunError when one breaks its contract; the folder goes then, so that the next run
        makes all of it again. Datasets named in ``held`` were held to theirs before they were
        written.
        """
        try:
            hold(self.contract, {name: path for name, path in files.items() if name not in held})
        except RunError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        with ThreadPoolExecutor() as side_by_side:
            datasets = dict(zip(files, side_by_side.map(Dataset.of, files.values()), strict=True))
        result = StageResult(
            stage=self.contract.stage,
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
