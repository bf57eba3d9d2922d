"""Take listeners out of a release: another file under the same id."""

import shutil
from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.lake.files import write_parquet
from tasks.release.build import MEASURED_LISTENERS
from warehouse.build.forgetting import rewrite_without
from warehouse.listener_ids import WHITE
from warehouse.redaction import Redactor
from warehouse.releases.home import DATABASE, Home
from warehouse.releases.manifest import Manifest
from warehouse.releases.release import Release
from warehouse.releases.revision import revise, settle


def forget_in_release(
    home: Home,
    release: Release,
    listeners: Collection[str],
    redactor: Redactor,
    memory_limit: str,
) -> frozenset[str]:
    """Rebuild a release without the listeners if it has any; return those it had.

    Safe to repeat, wherever it was cut off. ``redactor`` is for the same listeners.
    """
    release = settle(home, release)
    _forget_measured(release, listeners)
    folder = home.building / f"forget-{release.folder.name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    manifest = release.manifest
    rewritten = rewrite_without(
        release.database,
        folder / DATABASE,
        listeners,
        redactor,
        manifest.storage_version,
        memory_limit,
    )
    texts = _texts(manifest, redactor)
    if rewritten is not None:
        counts = manifest.row_counts | rewritten.row_counts
        revise(home, release, folder / DATABASE, row_counts=counts, **texts)
    elif texts:
        release.noted(**texts)
    shutil.rmtree(folder)
    return frozenset() if rewritten is None else rewritten.listeners


def _forget_measured(release: Release, listeners: Collection[str]) -> None:
    """Take the listeners out of what each held-out one scored."""
    file = release.folder / MEASURED_LISTENERS
    if not file.is_file():
        return
    table = pq.read_table(file)
    asked = pa.array(sorted(listeners), pa.string())
    is_theirs = pc.is_in(pc.utf8_trim(table["user_id"], WHITE), value_set=asked)
    if pc.any(is_theirs).as_py():
        write_parquet(table.filter(pc.invert(is_theirs)), file)


def _texts(manifest: Manifest, redactor: Redactor) -> dict[str, Any]:
    """Return the texts of a manifest that name one of the listeners, without the name."""
    changed: dict[str, Any] = {
        name: redactor.redact(getattr(manifest, name))
        for name in ("reason", "gate")
        if redactor.names(getattr(manifest, name))
    }
    if manifest.override and redactor.names(manifest.override.because):
        because = redactor.redact(manifest.override.because)
        changed["override"] = manifest.override.model_copy(update={"because": because})
    return changed
