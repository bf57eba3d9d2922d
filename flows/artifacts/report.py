"""The report of a run: one page with what came out, why, and what it was made from."""

from collections.abc import Sequence

from flows.artifacts.markdown import escaped, table
from flows.lines import counts_in_words
from flows.outcome import Outcome
from warehouse.releases.manifest import Manifest
from warehouse.releases.reader import Reader
from warehouse.statements import text_literal


def example_queries(outcome: Outcome) -> list[str]:
    """Return queries to try, with ids that exist in the release."""
    with Reader(outcome.database) as reader:
        listener = reader.rows(
            "SELECT user_id FROM users WHERE tracks_played >= 5 ORDER BY user_id LIMIT 1"
        ) or reader.rows("SELECT user_id FROM users LIMIT 1")
        track = reader.rows(
            "SELECT track_id FROM tracks WHERE is_cold ORDER BY track_id LIMIT 1"
        ) or reader.rows("SELECT track_id FROM tracks LIMIT 1")
    user_id, track_id = (
        text_literal(str(row[0][name]))
        for row, name in ((listener, "user_id"), (track, "track_id"))
    )
    return [
        f"FROM recommend_user({user_id});",
        f"FROM recommend_user({user_id}, weight := 0.2);",
        f"FROM similar_to({track_id});",
        "FROM search_tracks('love');",
    ]


KEY = "report"
"""Key of the page; each run adds a version."""


def gate_markdown(manifest: Manifest) -> str:
    """Return the gate's decision on a release as a section of Markdown."""
    lines = ["## Gate", "", *([f"{escaped(manifest.gate)}", ""] if manifest.gate else [])]
    if manifest.override is not None:
        why = escaped(manifest.override.because)
        lines += [f"Published by force, by {escaped(manifest.override.by)}: {why}.", ""]
    if not manifest.comparisons:
        return "\n".join(lines)
    rows = (
        (
            f"{one.role} {one.release_id}",
            one.metric,
            f"{one.listeners:,}",
            f"{one.rival:.4f}",
            f"{one.challenger:.4f}",
            f"{one.change:+.1%}",
            f"{one.ci_low:+.1%} to {one.ci_high:+.1%}",
            one.verdict,
        )
        for one in manifest.comparisons
    )
    head = ("compared with", "metric", "listeners", "its", "ours", "change", "interval", "verdict")
    return "\n".join([*lines, *table(head, rows), ""])


def refused_markdown(sentence: str, lines: Sequence[str], sections: Sequence[str] = ()) -> str:
    """Return the report of a run that the gate refused."""
    return "\n".join(
        ["# Refused", "", f"{escaped(sentence)}.", "", *_parted(sections), *_log(lines)]
    )


def report_markdown(outcome: Outcome, sections: Sequence[str] = ()) -> str:
    """Return the report of a run; ``sections`` are what was measured and compared on the way."""
    said = (
        "Published and current."
        if outcome.published
        else f"Still current: {outcome.because}. Its own report has what was measured."
    )
    return "\n".join(
        [
            f"# Release {outcome.release_id}",
            "",
            said,
            "",
            *_parted(sections),
            "## Run",
            "",
            *_rows(outcome),
            "",
            *_stages(outcome),
            "",
            f"Peak memory of all processes: {outcome.peak_memory_bytes / 1e9:.2f} GB",
            "",
            *_log(outcome.said),
            "## Queries",
            "",
            f"Open `{outcome.database}` read-only with DuckDB and try:",
            "",
            "```sql",
            *example_queries(outcome),
            "```",
        ]
    )


def _rows(outcome: Outcome) -> list[str]:
    """Return the rows that came in and went out."""
    counts = outcome.stages["ingest"].counts
    unplayed = counts["unplayed_tracks"]
    lists = outcome.stages.get("lists")  # a refresh that found nothing new made none
    rows = [
        ("catalogue records", f"{counts['track_records']:,}"),
        ("play records", f"{counts['play_records']:,}"),
        *([("rejected", f"{counts['rejected_rows']:,}")] if counts["rejected_rows"] else []),
        ("tracks", f"{counts['tracks']:,}" + (f" ({unplayed:,} unplayed)" if unplayed else "")),
        ("listeners", f"{counts['users']:,}"),
        ("listens", f"{counts['plays_rows']:,}"),
        *([("recommendations", f"{lists.counts['rows']:,}")] if lists else []),
    ]
    return table(("in and out", "rows"), rows, numbers=1)


def _stages(outcome: Outcome) -> list[str]:
    rows = (
        (name, counts_in_words(result), "reused" if result.reused else f"{result.seconds:.1f}")
        for name, result in outcome.stages.items()
    )
    return table(("stage", "counts", "seconds"), rows, numbers=1)


def _log(lines: Sequence[str]) -> list[str]:
    """Return the run's own lines as a section."""
    return ["## Run log", "", *(f"- {escaped(line)}" for line in lines), ""] if lines else []


def _parted(sections: Sequence[str]) -> list[str]:
    return [part for section in sections if section for part in (section, "")]
