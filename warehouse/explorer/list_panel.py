"""The list of a page and what controls it: one fragment, rerun on its own."""

from dataclasses import replace
from typing import Any

import streamlit as st

from warehouse.explorer import address
from warehouse.explorer.components import tracklist
from warehouse.explorer.downloads import download
from warehouse.explorer.fader import fader, is_at_rest, position
from warehouse.explorer.filters import filters
from warehouse.explorer.lists import Subject, display_rows, question, tracks_of
from warehouse.explorer.other_lists import chosen_list, other_list
from warehouse.explorer.snapshot import Snapshot, follow

ROWS = (20, 50, 100)


@st.fragment
def list_panel(snapshot: Snapshot, subject: Subject, suggested: float) -> None:
    """Show the list for ``subject``; ``suggested`` is the weight learned for its history length."""
    snapshot = follow(snapshot)
    if (other := chosen_list(snapshot, subject)) is not None:
        other_list(snapshot, subject, other, _rows_wanted(), suggested)
        return
    if subject.query == "recommended" and not subject.is_unknown:
        heard = st.toggle("Include songs already played", key="heard", bind="query-params")
        subject = replace(subject, heard=heard)
    # for an unknown listener the list is the same at every weight
    at = position(suggested) if subject.is_unknown else fader(suggested)
    chosen = filters(snapshot, recommends=bool(subject.did))
    asked = question(subject, _rows_wanted(), at.weight, chosen)
    table = asked.ask(snapshot)
    rows = display_rows(table, tracks_of(snapshot, table), at.shown, subject.did)
    data = {
        "label": "Tracks, best first",
        "rows": rows,
        "token": f"{snapshot.release_id} {at.weight}",
        "subject": f"{subject.of} {subject.heard} {chosen}",
        "settled": is_at_rest(),
        "action": "explained",
        "action_label": "Why?",
        "explained": _explanation(snapshot, rows),
        "empty": "No track matches these filters.",
        "sql": asked.sql,
    }
    result = tracklist("list", data)
    if result.opened:
        address.open_track(str(result.opened))
    if result.explained is not None:
        st.session_state["why"] = str(result.explained)
        st.rerun(scope="fragment")
    download("Download this list as CSV", "recommendations", lambda: table)


def _rows_wanted() -> int:
    try:
        k = int(address.text("rows") or "")
    except ValueError:
        return ROWS[0]
    return min(max(k, 1), ROWS[-1])


def _explanation(snapshot: Snapshot, rows: list[dict[str, Any]]) -> dict[str, str] | None:
    """Explain the chosen row: one small query, run only on request."""
    chosen = st.session_state.get("why")
    row = next((row for row in rows if row["track_id"] == chosen), None)
    if row is None or row["because"] is None:
        return None
    why = snapshot.row("explain", track_a=row["because"], track_b=row["track_id"])
    if why is None:
        return None
    reason = str(why["reason"])
    return {
        "track_id": row["track_id"],
        "reason": reason[:1].upper() + reason[1:],
        "scores": f"Score of this row: {row['score']:.3f}, from collaborative "
        f"{row['collaborative_score']:.3f} and content {row['content_score']:.3f}",
    }
