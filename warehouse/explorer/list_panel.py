"""The crossfader, the filters and the list they control: one fragment, rerun on its own."""

from typing import Any

import streamlit as st

from warehouse.explorer import address
from warehouse.explorer.components import crossfader, move, tracklist
from warehouse.explorer.downloads import download
from warehouse.explorer.filters import filters
from warehouse.explorer.lists import Subject, display_rows, question, tracks_of
from warehouse.explorer.snapshot import Snapshot, follow

ROWS = (20, 50, 100)


@st.fragment
def list_panel(snapshot: Snapshot, subject: Subject, suggested: float) -> None:
    """Show the list for ``subject``; ``suggested`` is the weight learned for its history length."""
    snapshot = follow(snapshot)
    weight = _weight()
    shown = suggested if weight is None else weight
    if not subject.is_unknown:  # else the list is the same at every weight
        crossfader("fader", shown, suggested, _presets(weight, suggested), _moved)
    chosen = filters(snapshot)
    asked = question(subject, _rows_wanted(), weight, chosen)
    table = asked.ask(snapshot)
    rows = display_rows(table, tracks_of(snapshot, table), shown, subject.did)
    data = {
        "label": "Tracks, best first",
        "rows": rows,
        "token": f"{snapshot.release_id} {weight}",
        "subject": f"{subject.of} {subject.heard} {chosen}",
        "settled": st.session_state.get("held") is None,
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


def _weight() -> float | None:
    """Return the slider's position: while it is dragged, its own; otherwise the address's."""
    held = st.session_state.get("held")
    return held if isinstance(held, float) else address.weight()


def _moved() -> None:
    moved = move("fader")
    if moved is None:
        return
    weight, settled = moved
    st.session_state["held"] = None if settled else weight
    if settled:  # one browser history entry per drag, not fifty
        address.put_weight(weight)


def _presets(weight: float | None, suggested: float) -> list[dict[str, Any]]:
    given = [
        ("Content", 0.0, "Content only: similar sound and tags"),
        ("Balanced", 0.5, "Half and half"),
        ("Collaborative", 1.0, "Collaborative only: played by the same people"),
        (
            "Suggested",
            None,
            f"{round(100 * suggested)} % collaborative: measured best",
        ),
    ]
    return [
        {"label": label, "share": share, "help": help_, "pressed": share == weight}
        for label, share, help_ in given
    ]


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
