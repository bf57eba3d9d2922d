"""The script Streamlit runs for every viewer: the frame around the views."""

import sys
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

import streamlit as st

from warehouse.errors import UnknownReleaseError
from warehouse.explorer import address
from warehouse.explorer.artist import artist
from warehouse.explorer.components import TO_CURRENT, notice, topbar
from warehouse.explorer.discover import discover, suggested_weight
from warehouse.explorer.experiments import experiments_there
from warehouse.explorer.listener import listener
from warehouse.explorer.snapshot import Snapshot, opened
from warehouse.releases.home import Home
from warehouse.releases.release import current_id

LOOK_SECONDS = 3
"""How often an open page looks whether the pointer has moved: one `readlink`."""

ABOUT = "Crossfade explorer: reads the current release, changes nothing."


def main(home: Home) -> None:
    """Show the page that the address names."""
    icon = str(files("warehouse.explorer") / "assets" / "icon.svg")
    st.set_page_config("Crossfade", icon, layout="wide", menu_items={"About": ABOUT})
    st.html(f"<style>{(files('warehouse.explorer') / 'assets' / 'page.css').read_text()}</style>")
    named = address.text("release")
    try:
        snapshot = opened(home, named)
    except UnknownReleaseError as error:
        if named:
            _not_kept(named)
        else:
            _nothing_published(home, error)
        return
    if named is None:
        _watch(home, snapshot.release_id)
    if st.session_state.pop("arrived", False):
        st.toast(f"A new release is served: {snapshot.release_id}", icon=":material/autorenew:")
    views = {"discover": "Discover", "listener": "Listener", "release": "Release"}
    if experiments_there(snapshot):
        views["experiments"] = "Experiments"
    asked = address.text("view") or "discover"
    view = asked if asked in {*views, "artist"} else "discover"
    chosen = topbar(
        views,
        "discover" if view == "artist" else view,
        lambda name: address.link(**_parameter(name)),
        snapshot.release_id,
        "" if named in (None, current_id(home)) else named,
    )
    if chosen == TO_CURRENT:
        _go_to_current()
    elif chosen:
        address.go(_parameter(chosen).get("view"))
    _show(view, home, snapshot)


def _go_to_current() -> NoReturn:
    address.put("release", None)
    st.rerun()


def _not_kept(release_id: str) -> None:
    notice(
        "not-kept",
        "This release cannot be opened",
        f"There is no release “{release_id}” in this home, or its file is damaged. Old releases "
        "are deleted; see how many are kept with the command below.",
        command="crossfade releases",
    )
    if st.button("Open the current release"):
        _go_to_current()


def _parameter(view: str) -> dict[str, str]:
    return {} if view == "discover" else {"view": view}


def _show(view: str, home: Home, snapshot: Snapshot) -> None:
    if view == "release":
        from warehouse.explorer.release.page import release  # only these views need the plots

        release(home, snapshot)
    elif view == "experiments":
        from warehouse.explorer.experiments.page import experiments

        experiments(home, snapshot)
    elif view == "listener":
        listener(snapshot)
    elif view == "artist":
        artist(snapshot, suggested_weight(snapshot, 1))
    else:
        discover(snapshot)


@st.fragment(run_every=LOOK_SECONDS)
def _watch(home: Home, release_id: str | None) -> None:
    """Look whether another release was published, and go there; nothing chosen is lost."""
    if current_id(home) != release_id:
        st.session_state["arrived"] = release_id is not None
        st.rerun()


def _nothing_published(home: Home, error: UnknownReleaseError) -> None:
    _watch(home, current_id(home))
    if current_id(home) is None:
        notice(
            "no-release",
            "Nothing is published yet",
            "This page shows the first release as soon as there is one; no need to reload it.",
            command="make run",
        )
    else:
        notice("bad-release", "The current release cannot be read", str(error),
               command="crossfade rollback")  # fmt: skip


main(Home(Path(sys.argv[1])))
