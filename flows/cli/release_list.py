"""The releases of a home, a line each, or as JSON."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from flows.cli.console import messages, output, say
from warehouse.releases.manifest import Manifest
from warehouse.releases.release import Release

NUMBERS = ("tracks", "listeners", "MB")
"""Columns that are aligned to the right."""


def print_releases(releases: Sequence[Release]) -> None:
    """Print a line for each release, the current one marked."""
    if not releases:
        say(messages(), "no releases yet; `crossfade run` publishes the first one")
        return
    shown = [_cells(release) for release in releases]
    columns = [name for name in shown[0] if name != "dataset" or _differ(shown, name)]
    optional = ("why", "refresh of")
    columns = [name for name in columns if name not in optional or any(row[name] for row in shown)]
    rows = [{**dict(zip(columns, columns, strict=True)), "release": "  release"}, *shown]
    widths = {name: max(cell_len(row[name]) for row in rows) for name in columns}
    console = output()
    for row in rows:
        line = Text("  ".join(_padded(row[name], name, widths[name]) for name in columns))
        line.rstrip()
        if console.is_terminal:
            line.truncate(console.width, overflow="ellipsis")
        console.print(line, soft_wrap=True)
    if "why" in columns and console.is_terminal:
        say(console, "The whole reasons are in `crossfade releases --json`.", style="dim")


def _differ(rows: Sequence[dict[str, str]], name: str) -> bool:
    return len({row[name] for row in rows}) > 1


def _padded(cell: str, name: str, width: int) -> str:
    pad = " " * (width - cell_len(cell))
    return pad + cell if name in NUMBERS else cell + pad


def _cells(release: Release) -> dict[str, str]:
    manifest = release.manifest
    return {
        "release": f"{'*' if release.is_current else ' '} {manifest.release_id}",
        "status": ("rolled back" if manifest.rolled_back else manifest.status)
        + (f", revision {manifest.revision}" if manifest.revision else ""),
        "refresh of": manifest.base_id or "",
        "tracks": f"{manifest.row_counts['tracks']:,}",
        "listeners": f"{manifest.row_counts['users']:,}",
        "MB": f"{manifest.bytes / 1e6:.1f}",
        "dataset": manifest.dataset,
        "why": _why(manifest),
    }


def _why(manifest: Manifest) -> str:
    """Return what the gate said of a release it refused, and who published it nevertheless."""
    override = manifest.override
    forced = f"by {override.by}: {override.because}" if override else ""
    return "; ".join(filter(None, (forced, manifest.reason)))


def print_json(releases: Sequence[Release]) -> None:
    """Print the releases' manifests as a JSON list, with the file and whether it is current."""
    found: list[dict[str, Any]] = [
        {
            "release_id": release.manifest.release_id,
            "is_current": release.is_current,
            "database": str(release.database),
            **release.manifest.model_dump(mode="json", exclude={"release_id"}),
        }
        for release in releases
    ]
    json.dump(found, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
