"""The frame of the Release view: three answers, and one tab for each kind of detail."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import streamlit as st

from warehouse.explorer import address
from warehouse.explorer.components import answers, card
from warehouse.explorer.earlier import kept_releases, manifest_of, open_kept
from warehouse.explorer.release.better import is_it_better
from warehouse.explorer.release.build import build
from warehouse.explorer.release.catalogue import catalogue
from warehouse.explorer.release.difference import difference, what_differs
from warehouse.explorer.release.input import anything_wrong, input_data
from warehouse.explorer.release.lists import compare_lists, what_changed
from warehouse.explorer.release.quality import quality
from warehouse.explorer.snapshot import Snapshot
from warehouse.releases.home import Home
from warehouse.releases.manifest import Manifest
from warehouse.releases.release import current_id


def release(home: Home, snapshot: Snapshot) -> None:
    """Show the view."""
    row = snapshot.row("release") or {}
    evaluation = [r for r in snapshot.rows("evaluation") if r["value"] is not None]
    card(
        "release",
        f"Release {row['release_id']}",
        subtitle=f"{_dataset(row['dataset'])} · {row['created_at']:%d %B %Y, %H:%M} UTC · "
        f"code {row['code_version']}",
    )
    other = _pick(home, snapshot)
    _answers(home, snapshot, other, row)
    contents: dict[str, Callable[[], None]] = {
        "Quality": lambda: quality(snapshot, evaluation, row["artist_factor"]),
        "Catalogue": lambda: catalogue(snapshot, evaluation),
        "Input": lambda: input_data(snapshot, row),
        "Changes": lambda: difference(snapshot, other),
        "Build": lambda: build(snapshot, row),
    }
    # Only the open tab is computed; the address names it.
    tabs = st.tabs(list(contents), key="tab", on_change="rerun", bind="query-params")
    for tab, content in zip(tabs, contents.values(), strict=True):
        if tab.open:
            with tab:
                content()


def _dataset(name: str) -> str:
    """Return the dataset's name, or the file name if the dataset is identified by its path."""
    return PurePath(name).name if PurePath(name).is_absolute() else name


def _pick(home: Home, snapshot: Snapshot) -> Snapshot | None:
    """Show which release is open and which one it is compared with; return the latter."""
    kept = kept_releases(home)
    if len(kept) < 2:
        return None
    current = current_id(home)
    left, right = st.columns(2)
    st.session_state["opened-release"] = snapshot.release_id
    left.selectbox(
        "Release", [snapshot.release_id, *(x for x in kept if x != snapshot.release_id)],
        key="opened-release", on_change=_open, args=(current,),
        format_func=lambda name: f"{name} (current)" if name == current else name,
    )  # fmt: skip
    earlier = [name for name in kept if name < snapshot.release_id]
    others = [*earlier, *(name for name in kept if name > snapshot.release_id)]
    others.sort(key=lambda name: name != _rival(home, snapshot.release_id))
    if st.session_state.get("against") not in (None, *others):
        del st.session_state["against"]
        address.put("against", None)
    against = right.selectbox("Compared with", others, key="against", bind="query-params")
    return open_kept(home, against) if against else None


def _rival(home: Home, release_id: str) -> str | None:
    """Return the release that was current before this one, as far as its gate compared them."""
    manifest = manifest_of(home, release_id)
    found = manifest.comparisons if manifest else ()
    return next((one.release_id for one in found if one.role == "current release"), None)


def _open(current: str | None) -> None:
    chosen = st.session_state["opened-release"]
    address.put("release", None if chosen == current else chosen)


def _answers(home: Home, snapshot: Snapshot, other: Snapshot | None, row: dict[str, Any]) -> None:
    manifest = manifest_of(home, snapshot.release_id)
    change = None
    remarks = _remarks(row, manifest)
    if other is not None:
        remarks.insert(0, what_differs(row, other.row("release") or {}))
        change = compare_lists(snapshot.release_id, other.release_id, snapshot, other)
    answers(
        "release-answers",
        [
            is_it_better(
                manifest.comparisons if manifest else (),
                other.release_id if other else None,
                remarks,
            ),
            what_changed(change),
            anything_wrong(snapshot.rows("data_quality"), snapshot.rows("rejected_reasons")),
        ],
    )


def _remarks(row: dict[str, Any], manifest: Manifest | None) -> list[str]:
    """Return who forced a release; and what the gate said, where it compared nothing."""
    remarks = []
    if row.get("forced_by"):  # releases of older versions have none of these columns
        remarks.append(
            f"The gate refused it. {row['forced_by']} published it nevertheless: "
            f"{row['forced_because']}."
        )
    if row.get("gate") and not (manifest and manifest.comparisons):
        remarks.append(f"The gate: {row['gate']}")
    return remarks
