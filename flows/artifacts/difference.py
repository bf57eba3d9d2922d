"""The section of a report on what changed against the release that was current before."""

from flows.artifacts.markdown import table
from flows.runs import best_effort
from warehouse.releases.difference import Difference, Side, compare_releases
from warehouse.releases.release import Release

QUALITY = ("recall@20", "recall@50", "ndcg@100", "coverage@20", "unplayed_share@20")


def difference_section(old: Release | None, new: Release) -> str:
    """Return how ``new`` differs from ``old`` as Markdown; empty when it is the first."""
    if old is None:
        return ""
    with best_effort("the difference to the previous release"):
        if difference := compare_releases(old, new):
            return difference_markdown(difference)
    return ""


def difference_markdown(difference: Difference) -> str:
    """Return the difference as a section of Markdown."""
    old, new = difference.old, difference.new
    counts = table(
        ("", old.release_id, new.release_id, "change"),
        [
            _change("tracks", old.tracks, new.tracks),
            _change("listeners", old.listeners, new.listeners),
            _change("tracks shown to anyone", old.shown, new.shown),
            ("share of the catalogue shown", *_percents(old, new)),
        ],
        numbers=3,
    )
    quality = table(
        ("hybrid, all held-out listeners", old.release_id, new.release_id, "change"),
        (
            (name, f"{was:.4f}", f"{now:.4f}", f"{now - was:+.4f}")
            for name in QUALITY
            if (was := old.quality.get(name)) is not None
            and (now := new.quality.get(name)) is not None
        ),
        numbers=3,
    )
    return "\n".join(
        [
            f"## Beside {old.release_id}",
            "",
            f"Lists of {difference.compared:,} listeners compared:",
            "",
            "- average overlap, the top counting most: "
            f"**{100 * difference.average_overlap:.1f} %**",
            f"- tracks that are in both lists: **{100 * difference.shared:.1f} %**",
            f"- same first recommendation: **{100 * difference.same_first:.1f} %**",
            "",
            *counts,
            "",
            *quality,
        ]
    )


def _change(name: str, old: int, new: int) -> tuple[str, str, str, str]:
    return name, f"{old:,}", f"{new:,}", f"{new - old:+,}"


def _percents(old: Side, new: Side) -> tuple[str, str, str]:
    was, now = 100 * old.coverage, 100 * new.coverage
    return f"{was:.1f} %", f"{now:.1f} %", f"{now - was:+.1f}"
