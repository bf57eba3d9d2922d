"""Is a release better than another one? In one sentence, from what the gate compared."""

from collections.abc import Sequence
from typing import Literal

from warehouse.explorer.components import Answer, Line
from warehouse.explorer.release.metrics import in_words, label
from warehouse.explorer.wording import interval, listed, percent
from warehouse.releases.manifest import Comparison

QUESTION = "Is it better than the last one?"
WORDS = {"better": "better", "worse": "worse", "unclear": "no clear change"}

State = Literal["better", "worse", "unclear"]


def is_it_better(
    comparisons: Sequence[Comparison], other: str | None, remarks: Sequence[str] = ()
) -> Answer:
    """Answer for a release beside the release ``other`` (None: there is no other one).

    ``comparisons`` are those of the release's gate with any rival; ``remarks`` follow the answer.
    """
    if other is None:
        return Answer(QUESTION, "There is no other release to compare it with.",
                      more=tuple(remarks))  # fmt: skip
    found = [one for one in comparisons if one.release_id == other]
    if not found:
        rivals = listed(list(dict.fromkeys(f"`{one.release_id}`" for one in comparisons)))
        instead = f" It compared it with {rivals}." if rivals else ""
        return Answer(
            QUESTION,
            f"Unknown: the gate did not compare it with `{other}`.{instead}",
            "open",
            tuple(remarks),
        )
    better, worse = (
        [one for one in found if state_of(one) == state] for state in ("better", "worse")
    )
    listeners = max(one.listeners for one in found)
    more = (
        f"Compared with `{other}`: both models ranked today's plays of the same {listeners:,} "
        "listeners, whom neither had seen.",
        *remarks,
    )
    lines = tuple(
        Line(label(*parts(one.metric)), _change(one), WORDS[state_of(one)]) for one in found
    )
    if better and worse:
        sentence = f"In part: {_said(better[0])}, but {_said(worse[0])}."
        return Answer(QUESTION, sentence, "open", more, lines)
    if better:
        return Answer(QUESTION, f"Yes: {_said(better[0])}.", "good", more, lines)
    if worse:
        return Answer(QUESTION, f"No, worse: {_said(worse[0])}.", "bad", more, lines)
    return Answer(QUESTION, f"No measurable difference: {_said(found[0])}.", "plain", more, lines)


def state_of(one: Comparison) -> State:
    """Return what the interval of a comparison says."""
    if one.ci_low > 0:
        return "better"
    return "worse" if one.ci_high < 0 else "unclear"


def parts(metric: str) -> tuple[str, int]:
    """Return name and k of a metric such as `recall@20`."""
    name, _, k = metric.partition("@")
    return name, int(k or 0)


def _said(one: Comparison) -> str:
    now = in_words(*parts(one.metric), one.challenger, digits=1)
    return f"{now[0].lower()}{now[1:]}, {100 * one.rival:.1f} before ({_change(one)})"


def _change(one: Comparison) -> str:
    return f"{percent(one.change)}, interval {interval(one.ci_low, one.ci_high)}"
