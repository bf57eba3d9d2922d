"""The frame of the Release view: headline figures and one tab per question."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import streamlit as st

from warehouse.explorer.components import card
from warehouse.explorer.earlier import previous_release
from warehouse.explorer.release.build import build
from warehouse.explorer.release.catalogue import catalogue
from warehouse.explorer.release.difference import difference
from warehouse.explorer.release.input import input_data
from warehouse.explorer.release.quality import SERVED, best_single_signal, find, quality
from warehouse.explorer.snapshot import Snapshot
from warehouse.releases.home import Home


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
    _headline(snapshot, row, evaluation)
    if row.get("gate"):  # releases of older versions have none
        st.caption(f"Gate: {row['gate']}")
    contents: dict[str, Callable[[], None]] = {
        "Quality": lambda: quality(snapshot, evaluation),
        "Catalogue": lambda: catalogue(snapshot, evaluation),
        "Input": lambda: input_data(snapshot, row),
        "Changes": lambda: difference(snapshot, previous_release(home, snapshot.release_id)),
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


def _headline(snapshot: Snapshot, row: dict[str, Any], evaluation: list[dict[str, Any]]) -> None:
    counts = dict(row["row_counts"])
    ndcg = find(evaluation, SERVED, "all", "ndcg", 100)
    baseline = best_single_signal(evaluation, "all", "ndcg", 100)
    gain = f"{ndcg['value'] / baseline['value'] - 1:+.1%}" if ndcg and baseline else None
    covered = find(evaluation, SERVED, "all", "coverage", 20)
    cold = sum(x["tracks"] for x in snapshot.rows("catalogue") if x["listeners"] == "0")
    states = [check["status"] for check in snapshot.rows("data_quality")]
    passed, failed = states.count("passed"), states.count("failed")
    figures = [
        ("NDCG@100", f"{ndcg['value']:.3f}" if ndcg else "none", gain,
         "On held-out listeners; the change is relative to the best model that is not a blend."),
        ("Coverage", f"{covered['value']:.0%}" if covered else "none", None,
         "Share of the catalogue in the top 20 of any held-out listener."),
        ("Unplayed tracks", f"{cold / max(1, counts['tracks']):.0%}", None,
         f"{cold:,} of {counts['tracks']:,} tracks have no listener yet."),
        ("Checks passed", f"{passed} of {passed + failed}", None,
         f"{len(states) - passed - failed} skipped."),
        ("Rejected rows", f"{counts.get('rejected_rows', 0):,}", None,
         "Invalid input rows, kept in rejected_rows."),
    ]  # fmt: skip
    for column, (label, value, change, help_) in zip(st.columns(5), figures, strict=True):
        column.metric(label, value, change, help=help_)
