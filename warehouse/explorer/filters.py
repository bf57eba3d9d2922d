"""Filters by genre, tag and year; a filtered list is as long as an unfiltered one."""

from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from warehouse.explorer.snapshot import Snapshot


@dataclass(frozen=True)
class Filters:
    """The chosen filters; an empty one matches everything."""

    genres: list[str]
    tags: list[str]
    first_year: int | None
    last_year: int | None

    def __bool__(self) -> bool:
        return bool(self.genres or self.tags or self.first_year or self.last_year)

    def values(self) -> dict[str, Any]:
        """Return the values that the filtered queries bind."""
        return asdict(self)


@st.cache_data(max_entries=4, show_spinner=False)
def _choices(release_id: str, _snapshot: Snapshot) -> dict[str, Any]:  # noqa: ARG001 - the key
    return _snapshot.row("filters") or {}


def filters(snapshot: Snapshot) -> Filters:
    """Show a filter for each field the catalogue has values for; the address stores them."""
    choices = _choices(snapshot.release_id, snapshot)
    # in a popover, the hundreds of tags are drawn only when it is opened
    with st.popover(f"Filters{_active()}", icon=":material/tune:"):
        genres = _multiselect("Genre", "genre", choices["genres"], "Any genre")
        tags = _multiselect("Tag", "tag", choices["tags"], "Any tag")
        first, last = _years(choices["first_year"], choices["last_year"])
    return Filters(genres, tags, first, last)


def _active() -> str:
    """Return the number of active filters, for the label of the button."""
    used = sum(bool(st.query_params.get_all(name)) for name in ("genre", "tag", "years"))
    return f" ({used})" if used else ""


def _multiselect(label: str, key: str, options: list[str] | None, placeholder: str) -> list[str]:
    if not options:
        return []
    return st.multiselect(label, options, key=key, placeholder=placeholder, bind="query-params")


def _years(first: int | None, last: int | None) -> tuple[int | None, int | None]:
    if first is None or last is None or first >= last:
        return None, None
    low, high = st.slider("Years", first, last, (first, last), key="years", bind="query-params")
    return (low if low > first else None), (high if high < last else None)
