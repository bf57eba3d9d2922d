"""The page that sums up a run, and queries to try."""

from collections.abc import Sequence

from flows.artifacts.markdown import escaped, table
from flows.outcome import Outcome
from tasks.lake.record import counts_in_words
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
        f"FROM recommend_user({user_id}, weight := 0.2, k := 10);",
        f"FROM similar_to({track_id});",
        "FROM search_tracks('love');",
    ]


def lines_markdown(lines: Sequence[str]) -> list[str]:
    """Return the run's own lines as a section of a page."""
    return ["## Run log", "", *(f"- {escaped(line)}" for line in lines), ""] if lines else []


def refused_markdown(sentence: str, lines: Sequence[str]) -> str:
    """Return a run that the gate refused as a page of Markdown."""
    return "\n".join(["# Refused", "", f"{escaped(sentence)}.", "", *lines_markdown(lines)])


def summary_markdown(outcome: Outcome) -> str:
    """Return the run as a page of Markdown: release, rows in and out, seconds, SQL to try."""
    ingested = outcome.stages["ingest"].counts
    tracks = f"{ingested['tracks']:,} ({ingested['unplayed_tracks']:,} unplayed)"
    return "\n".join(
        [
            f"# Release {outcome.release_id}",
            "",
            "Published and current." if outcome.published else f"Still current: {outcome.because}.",
            "",
            *table(
                ("in", "rows"),
                (
                    ("catalogue records", f"{ingested['track_records']:,}"),
                    ("play records", f"{ingested['play_records']:,}"),
                    ("rejected", f"{ingested['rejected_rows']:,}"),
                ),
                numbers=1,
            ),
            "",
            *table(
                ("out", "rows"),
                (
                    ("tracks", tracks),
                    ("listeners", f"{ingested['users']:,}"),
                    ("listens", f"{ingested['plays_rows']:,}"),
                    ("recommendations", f"{outcome.stages['lists'].counts['rows']:,}"),
                ),
                numbers=1,
            ),
            "",
            *table(
                ("stage", "counts", "seconds"),
                (
                    (
                        name,
                        counts_in_words(result),
                        "reused" if result.reused else f"{result.seconds:.1f}",
                    )
                    for name, result in outcome.stages.items()
                ),
                numbers=1,
            ),
            "",
            f"Peak memory of all processes: {outcome.peak_memory_bytes / 1e9:.2f} GB",
            "",
            *lines_markdown(outcome.said),
            f"Open `{outcome.database}` read-only with DuckDB and try:",
            "",
            "```sql",
            *example_queries(outcome),
            "```",
        ]
    )
