"""The section of a report on every model on the held-out listeners, with its plots."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from flows.artifacts.markdown import table
from tasks.blend.parameters import Segment
from tasks.evaluation.half_life import ALL, SUPPORT
from tasks.evaluation.in_time import found_on, moved_segments
from tasks.evaluation.models import HYBRID
from tasks.evaluation.report import TEMPORAL
from tasks.lake.record import StageResult

METRICS = (("recall", 20), ("recall", 50), ("ndcg", 100), ("coverage", 20), ("unplayed_share", 20))
JUDGED = ("ndcg", 100)
CAPTIONS = {
    "quality_by_weight": "Quality by weight, for each history length",
    "quality_by_history": "Quality by history length",
    "coverage_by_quality": "Coverage against quality",
}


def evaluation_section(measured: StageResult | None, plots: Path) -> str:
    """Return the evaluation of a release as Markdown; empty where nothing was measured.

    ``plots`` is the folder of its SVG files.
    """
    if measured is None:
        return ""
    return evaluation_markdown(measured["evaluation"].read(), measured["segments"].read(), plots)


def evaluation_markdown(evaluation: pa.Table, segments: pa.Table, plots: Path) -> str:
    """Return the evaluation as a section of Markdown with its plots in it."""
    blend = table(
        ("history", "collaborative share", "popularity prior"),
        (
            (row["segment"], f"{row['weight']:.2f}", f"{row['popularity']:.2f}")
            for row in segments.to_pylist()
        ),
        numbers=2,
    )
    return "\n".join(
        [
            "## Evaluation",
            "",
            *compared(evaluation),
            *_pictures(plots),
            "### Weights that the held-out listeners chose",
            "",
            *blend,
        ]
    )


def compared(evaluation: pa.Table) -> list[str]:
    """Return every model beside the others, over all listeners and by segment, as Markdown."""
    rows = evaluation.to_pylist()
    value = {(row["model"], row["segment"], row["metric"], row["k"]): row for row in rows}
    models = sorted(dict.fromkeys(row["model"] for row in rows), key=lambda name: name != HYBRID)
    names = list(dict.fromkeys(row["segment"] for row in rows if ":" in row["segment"]))
    listeners = max((row["users"] for row in rows if row["segment"] == "all"), default=0)
    overall = table(
        ("model", *(f"{metric}@{k}" for metric, k in METRICS)),
        (
            (m, *(_figure(value.get((m, "all", *one)), one == JUDGED) for one in METRICS))
            for m in models
        ),
        numbers=len(METRICS),
    )
    by_segment = table(
        ("NDCG@100", *models),
        (
            (name, *(_figure(value.get((m, name, *JUDGED))) for m in models))
            for name in names
            if (HYBRID, name, *JUDGED) in value or not name.startswith("listeners:")
        ),
        numbers=len(models),
    )
    return [
        f"{listeners:,} listeners, none of whom the models have seen; most of their tracks are "
        "given, the others are to be found. In brackets the interval.",
        "",
        *overall,
        "",
        "### By history length and by popularity of the tracks to be found",
        "",
        *by_segment,
        "",
    ]


def temporal_section(random: StageResult | None, temporal: StageResult | None) -> str:
    """Return what the past was worth for what followed, beside the random split, as Markdown.

    Empty where the data have no times, or too few listeners to ask.
    """
    if random is None or temporal is None:
        return ""
    by_random = random["segments"].read().to_pylist()
    segments = tuple(Segment.model_validate(row) for row in by_random)
    moved = moved_blends(segments, temporal["supported"].read())
    counts = temporal.counts
    page = temporal_markdown(
        random["evaluation"].read(), temporal["evaluation"].read(), str(counts["cut"]), moved
    )
    return page + half_lives_markdown(temporal["half_lives"].read())


def moved_blends(segments: tuple[Segment, ...], supported: pa.Table) -> list[str]:
    """Return how the temporal split moves the blend that the random split chose, as Markdown."""
    found = found_on(supported)
    published = moved_segments(segments, found)
    return table(
        ("history", "random split", "best in time", "supported", "published"),
        (
            (
                chosen.segment,
                _blend(chosen.weight, chosen.popularity),
                _blend(*best.blend),
                f"{best.support:.0%}",
                _blend(final.weight, final.popularity),
            )
            for chosen, final in zip(segments, published, strict=True)
            if (best := found.get(chosen.min_tracks)) is not None
        ),
        numbers=4,
    )


def temporal_markdown(random: pa.Table, temporal: pa.Table, cut: str, moved: list[str]) -> str:
    """Return both splits side by side as a section of Markdown; ``moved`` is `moved_blends`."""
    rows = [*random.to_pylist(), *temporal.to_pylist()]
    value = {(row["model"], row["segment"], row["metric"], row["k"]): row for row in rows}
    models = list(dict.fromkeys(row["model"] for row in temporal.to_pylist()))
    models.sort(key=lambda name: -value[name, f"{TEMPORAL}all", *JUDGED]["value"])
    segments = [
        name
        for name in dict.fromkeys(row["segment"] for row in temporal.to_pylist())
        if (HYBRID, name, *JUDGED) in value
    ]
    heads = [name.removeprefix(TEMPORAL) for name in segments]
    by_segment = table(
        ("NDCG@100", "random split", *heads),
        (
            (
                m,
                _figure(value.get((m, "all", *JUDGED))),
                *(_figure(value.get((m, s, *JUDGED)), s == f"{TEMPORAL}all") for s in segments),
            )
            for m in models
        ),
        numbers=1 + len(segments),
    )
    listeners = value[HYBRID, f"{TEMPORAL}all", *JUDGED]["users"]
    recall = table(
        ("model", *(f"{metric}@{k}" for metric, k in METRICS)),
        (
            (m, *(_figure(value.get((m, f"{TEMPORAL}all", *one))) for one in METRICS))
            for m in models
        ),
        numbers=len(METRICS),
    )
    return "\n".join(
        [
            "## Evaluation in time",
            "",
            f"Models of {cut}, which have seen nothing that was played later, rank the tracks that "
            f"{listeners:,} listeners had not played by then; the ones that they played first from "
            "that day on are to be found. Known: the models have seen their earlier plays; new: "
            "they have not. This is what a release is for; the random split, on other listeners "
            "and with more of the data to learn from, asks an easier question, so compare the "
            "order of the models and not the figures.",
            "",
            *by_segment,
            "",
            *recall,
            "",
            "### Collaborative share and popularity prior",
            "",
            "What the random split chose, what measured best in time, and how far these listeners "
            "move the choice: not at all while the gain may be luck.",
            "",
            *moved,
            "",
        ]
    )


def half_lives_markdown(half_lives: pa.Table) -> str:
    """Return what every half-life of a history was worth in time as a section of Markdown."""
    rows = [row for row in half_lives.to_pylist() if row["half"] == ALL]
    none = next(row["ndcg"] for row in rows if row["half_life"] == 0)
    tried = table(
        ("half-life in days", "NDCG@100", "beside none", ""),
        (
            (
                str(row["half_life"] or "none"),
                f"{row['ndcg']:.3f}",
                f"{row['ndcg'] / none - 1:+.1%}" if none else "",
                "chosen" if row["is_chosen"] else "",
            )
            for row in rows
        ),
        numbers=3,
    )
    said = (
        "How much more recent plays of a history count, with the blend of the random split. The "
        "best one is chosen where its gain is more than luck: its support, "
        f"{rows[0]['support']:.0%} here, must be {SUPPORT:.0%}."
    )
    return "\n".join(["### Half-life of histories", "", said, "", *tried, ""])


def _blend(weight: float, prior: float) -> str:
    return f"{weight:.2f}, {prior:.2f}"


def _figure(row: Mapping[str, Any] | None, with_interval: bool = False) -> str:
    if row is None:
        return ""
    if not with_interval or row["ci_low"] is None:
        return f"{row['value']:.3f}"
    return f"{row['value']:.3f} ({row['ci_low']:.3f} – {row['ci_high']:.3f})"


def _pictures(plots: Path) -> list[str]:
    """Embed the files: the Prefect server has no way to the release folder."""
    lines = []
    for name, caption in CAPTIONS.items():
        file = plots / f"{name}.svg"
        if not file.is_file():
            continue
        data = b64encode(file.read_bytes()).decode()
        lines += [f"### {caption}", "", f"![{caption}](data:image/svg+xml;base64,{data})", ""]
    return lines
