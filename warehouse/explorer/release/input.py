"""The input of a release: is anything wrong with it; rejected rows, checks and files."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from warehouse.explorer.components import Answer, Line, short
from warehouse.explorer.snapshot import Snapshot
from warehouse.explorer.tables import show
from warehouse.explorer.wording import listed

QUESTION = "Is anything wrong with the input?"
MOST = 10_000
"""Maximum number of rejected rows shown and downloaded."""
NAMED = 4
"""Failed checks that the answer shows."""
OF_THE_MODEL = "hybrid_keeps_up"
"""Checks with this prefix judge the model, not the input."""
NOT_COUNTS = ("drift_", "rejected_rows")
"""Checks with these prefixes measure a distance, or what is said already."""

Rows = list[dict[str, Any]]


def anything_wrong(checks: Rows, rejected: Rows) -> Answer:
    """Answer in one sentence from `data_quality` and the rows of `rejected_reasons`."""
    checks = [one for one in checks if not one["check_name"].startswith(OF_THE_MODEL)]
    failed = [one for one in checks if one["status"] == "failed"]
    passed = sum(one["status"] == "passed" for one in checks)
    rows = sum(reason["rows"] for reason in rejected)
    aside = "no row was set aside"
    if rows:
        reasons = listed([f"{_words(one['reason'])} {one['rows']:,}" for one in rejected[:NAMED]])
        verb = "row was" if rows == 1 else "rows were"
        aside = f"{rows:,} {verb} set aside ({reasons})"
    skipped = len(checks) - passed - len(failed)
    more = (f"{skipped} checks had nothing to compare.",) if skipped else ()
    noted = _noted(checks)
    if not checks:
        return Answer(QUESTION, "Unknown: this release holds no checks of its input.", "open")
    if not failed:
        word, but = ("A little", "but") if rows else ("No", "and")
        all_of_them = "the only check" if passed == 1 else f"all {passed} checks"
        return Answer(QUESTION, f"{word}: {all_of_them} passed, {but} {aside}.",
                      "open" if rows else "good", more, noted)  # fmt: skip
    names = listed([_words(one["check_name"]) for one in failed[:NAMED]])
    others = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    lines = tuple(
        Line(_words(one["check_name"]), short(one["details"] or ""), one["severity"])
        for one in failed[:NAMED]
    )
    verb = "check" if len(failed) == 1 else "checks"
    return Answer(QUESTION, f"Yes: {len(failed)} {verb} of {passed + len(failed)} failed "
                  f"({names}{others}), and {aside}.", "bad", more, (*lines, *noted))  # fmt: skip


def _noted(checks: Rows) -> tuple[Line, ...]:
    """Return what was found within the limits: play records of unknown tracks, say."""
    found = [
        one for one in checks
        if one["status"] == "passed" and one["observed"]
        and not one["check_name"].startswith(NOT_COUNTS)
    ]  # fmt: skip
    return tuple(
        Line(_words(one["check_name"]), short(one["details"] or ""), "within the limit")
        for one in found[:NAMED]
    )


def input_data(snapshot: Snapshot, release: dict[str, Any]) -> None:
    """Show the tab."""
    st.subheader("Rejected rows", anchor=False)
    total = dict(release["row_counts"]).get("rejected_rows", 0)
    if total:
        show(snapshot.table("rejected_reasons"), "rejected-reasons")
        if total > MOST:
            st.text(f"The first {MOST:,} of {total:,}; query rejected_rows for all of them.")
        show(snapshot.table("rejected_rows", most=MOST), "rejected-rows")
    else:
        st.text("None: all input rows were accepted.")
    st.subheader("Checks", anchor=False)
    checks = snapshot.table("data_quality")
    show(checks.filter(pc.invert(of_the_model(checks))), "data-quality", rows=16)
    st.subheader("Files", anchor=False)
    files = dict(release["inputs"])
    show(pa.table({"file": list(files), "digest": list(files.values())}), "inputs")


def of_the_model(checks: pa.Table) -> pa.BooleanArray:
    """Tell which rows of `data_quality` judge the model."""
    return pc.starts_with(checks["check_name"], OF_THE_MODEL)


def _words(name: str) -> str:
    return short(name).replace("_", " ")
