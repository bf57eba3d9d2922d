"""The manifest: what a release is made of, beside its DuckDB file."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from warehouse.files import sync
from warehouse.releases.home import DATABASE

MANIFEST = "manifest.json"

Role = Literal["current release", "anchor"]
"""What a release is to a challenger."""
Verdict = Literal["within the limit", "undecided", "beyond the limit"]


class KeptModel(BaseModel):
    """A measured model in the lake, which stays there as long as a manifest names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    release_id: str
    """The release that was measured with it."""
    key: str
    """Its folder, ``lake/measured/<key>``."""
    digest: str
    """Hash of the digests of its files."""
    format: int
    """Form of the files; only models of the same one are compared."""
    seed: int
    """Keys the hashes of the listeners' ids."""
    share: float
    """Share of all hashes that were held out, the smallest ones."""


class Comparison(BaseModel):
    """One metric of a release and a rival on the same listeners, as the gate compared them.

    Differences are shares of the rival's value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    release_id: str
    """The rival."""
    metric: str
    listeners: int
    rival: float
    challenger: float
    change: float
    """(challenger - rival) / rival."""
    ci_low: float
    ci_high: float
    """One-sided limits that hold for all comparisons at once."""
    detectable: float
    """Loss that the gate refuses nine times in ten."""
    verdict: Verdict


class LakePart(BaseModel):
    """A stage's result in the lake that a release was made of, pinned by its digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str
    """Within the lake: ``content/<key>``."""
    digest: str
    """Hash of the digests of its files."""


class Base(BaseModel):
    """The release of a full run whose learned parts a refresh took over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    release_id: str
    parts: dict[str, LakePart]
    """`Manifest.parts` of that release, which may be pruned by now."""


class Override(BaseModel):
    """Who published what the gate had refused, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str
    because: str
    at: datetime


class Manifest(BaseModel):
    """One release, as its ``manifest.json`` records it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    release_id: str
    schema_version: int
    storage_version: str
    duckdb_version: str
    code_version: str
    created_at: datetime
    dataset: str
    """Name of the dataset; gate and drift compare within one."""
    fingerprint: str
    """Hash of everything that decides the content: an equal one means nothing to publish."""
    inputs: dict[str, str]
    """Digest of every input file."""
    parameters: dict[str, Any]
    row_counts: dict[str, int]
    stage_seconds: dict[str, float]
    bytes: int
    digest: str
    """BLAKE2b of the DuckDB file."""
    status: Literal["candidate", "published", "refused", "forced"]
    reason: str = ""
    """Why the gate refused it, also if it was published by force."""
    gate: str = ""
    """What was compared and what came out, in words; empty in releases of older versions."""
    comparisons: tuple[Comparison, ...] = ()
    """The same in figures; empty if nothing was compared, and in releases of older versions."""
    override: Override | None = None
    """Who published it although the gate had refused it."""
    measured: KeptModel | None = None
    """The model that was measured, to be compared with later ones; None: nothing was measured."""
    anchor: KeptModel | None = None
    """The best measured model so far, this one perhaps: later ones are compared with it too."""
    parts: dict[str, LakePart] = {}
    """Results in the lake that it was made of, by stage; empty in releases of older versions."""
    recipe: dict[str, str] = {}
    """Hash of each thing beside the data that decides what is learned; a refresh needs the same."""
    base: Base | None = None
    """What this release is a refresh of; None: it is the release of a full run."""
    layout: str = ""
    """Hash of the code that has written the file; empty in releases of older versions."""
    patch_of: str | None = None
    """The release of whose file this one's was made; None: it was written as a whole."""
    rolled_back: bool = False
    """Whether an operator rolled back from it to an older release."""
    file: str = DATABASE
    """Name of the DuckDB file that `bytes` and `digest` describe."""
    revision: int = 0
    """How often the file was written again without listeners who were forgotten."""
    revised_at: datetime | None = None
    """When it was, last."""

    @property
    def base_id(self) -> str | None:
        """The release that it is a refresh of; None: it is the release of a full run."""
        return None if self.base is None else self.base.release_id

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read a release folder's manifest; raises ValueError or OSError if there is none."""
        return cls.model_validate_json((folder / MANIFEST).read_text())

    def write(self, folder: Path) -> None:
        """Write the manifest into the release folder: whole or not at all, and durably."""
        partial = folder / f".{MANIFEST}"
        with partial.open("w") as file:
            file.write(self.model_dump_json(indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / MANIFEST)
        sync(folder)
