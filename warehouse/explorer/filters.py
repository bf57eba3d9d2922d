"""Filters by genre, tag and year, and the order; filtered lists are as long as unfiltered ones."""

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from warehouse.explorer.components import Chip, chip_of, removable_chips
from warehouse.explorer.older import has_variety
from warehouse.explorer.snapshot import Snapshot

GENRE, TAG, YEARS = "genre", "tag", "years"
"""Widgets, and parameters of the address."""
ORDER = "order"
IN_USE = "filters-in-use"

BEST_FIRST = "Best first"
ORDERS = {
    BEST_FIRST: {"diversity": 0.0, "calibrated": 0.0},
    "Varied": {"diversity": 0.25, "calibrated": 0.0},
    "More varied": {"diversity": 0.5, "calibrated": 0.0},
    "Genres as in the history": {"diversity": 0.0, "calibrated": 0.5},
}
"""What recommendations can be ordered by, and the arguments of the macro for it."""


@dataclass(frozen=True)
class Filters:
    """The chosen filters and order; an empty filter matches everything."""

    genres: list[str]
    tags: list[str]
    first_year: int | None
    last_year: int | None
    order: str = BEST_FIRST

    def __bool__(self) -> bool:
        return bool(self.genres or self.tags or self.first_year or self.last_year)

    def values(self) -> dict[str, Any]:
        """Return the values that the filtered queries bind."""
        return {name: value for name, value in asdict(self).items() if name != ORDER}


@st.cache_data(max_entries=4, show_spinner=False)
def _choices(release_id: str, _snapshot: Snapshot) -> dict[str, Any]:  # noqa: ARG001 - the key
    return _snapshot.row("filters") or {}


def filters(snapshot: Snapshot, *, recommends: bool) -> Filters:
    """Show a filter for each field the catalogue has values for; the address stores them.

    Recommendations can also be varied, unless they are filtered.
    """
    choices = _choices(snapshot.release_id, snapshot)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        # in a popover, the hundreds of tags are drawn only when it is opened
        with st.popover("Filters", icon=":material/tune:"):
            genres = _multiselect("Genre", GENRE, choices["genres"], "Any genre")
            tags = _multiselect("Tag", TAG, choices["tags"], "Any tag")
            first, last = _years(choices["first_year"], choices["last_year"])
            chosen = Filters(genres, tags, first, last)
            if recommends and has_variety(snapshot):
                chosen = replace(chosen, order=_order(bool(chosen), choices["genres"]))
        if chosen or chosen.order != BEST_FIRST:
            removable_chips(IN_USE, "Filters in use", _in_use(chosen), partial(_remove, choices))
    return chosen


def _in_use(chosen: Filters) -> list[Chip]:
    """Return a chip for each value; its id is the widget that holds it, and the value."""
    chips = [Chip(f"{GENRE} {name}", name) for name in chosen.genres]
    chips += [Chip(f"{TAG} {name}", name) for name in chosen.tags]
    first, last = chosen.first_year, chosen.last_year
    if first and last:
        chips.append(Chip(YEARS, f"{first} to {last}"))
    elif first or last:
        chips.append(Chip(YEARS, f"from {first}" if first else f"until {last}"))
    if chosen.order != BEST_FIRST:
        chips.append(Chip(ORDER, chosen.order))
    return chips


def _remove(choices: dict[str, Any]) -> None:
    widget, _, value = (chip_of(IN_USE, "removed") or "").partition(" ")
    if widget == YEARS:
        st.session_state[YEARS] = (choices["first_year"], choices["last_year"])
    elif widget == ORDER:
        st.session_state[ORDER] = BEST_FIRST
    elif widget:
        st.session_state[widget] = [name for name in st.session_state[widget] if name != value]


def tag_chips(snapshot: Snapshot, tags: list[str]) -> list[Chip]:
    """Return chips of tags; those that can be filtered by are buttons, pressed while in use."""
    known = set(_choices(snapshot.release_id, snapshot)["tags"] or [])
    used = _used_tags()
    return [Chip(tag, tag, tag in used if tag in known else None) for tag in tags]


def toggle_tag(card: str) -> None:
    """Filter by the tag of the card's chip that was pressed, or no longer: a callback."""
    tag = chip_of(card, "pressed")
    used = _used_tags()
    if tag is not None:
        st.session_state[TAG] = [*used, tag] if tag not in used else [t for t in used if t != tag]


def _used_tags() -> list[str]:
    used: list[str] = st.session_state.get(TAG, st.query_params.get_all(TAG))
    return list(used)


def _multiselect(label: str, key: str, options: list[str] | None, placeholder: str) -> list[str]:
    if not options:
        return []
    return st.multiselect(label, options, key=key, placeholder=placeholder, bind="query-params")


def _order(is_filtered: bool, genres: list[str] | None) -> str:
    chosen = st.selectbox(
        "Order",
        [name for name, dials in ORDERS.items() if genres or not dials["calibrated"]],
        key=ORDER,
        bind="query-params",
        disabled=is_filtered,
        help="Varied: songs unlike each other. A filtered list is best first.",
    )
    return BEST_FIRST if is_filtered else chosen


def _years(first: int | None, last: int | None) -> tuple[int | None, int | None]:
    if first is None or last is None or first >= last:
        return None, None
    low, high = st.slider("Years", first, last, (first, last), key=YEARS, bind="query-params")
    return (low if low > first else None), (high if high < last else None)
