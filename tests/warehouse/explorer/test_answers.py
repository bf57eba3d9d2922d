"""The three answers of the Release view and the words of its metrics, by hand."""

import json
from typing import Any

import pytest

from tests.warehouse.explorer.hostile import comparison
from warehouse.explorer.components import Line
from warehouse.explorer.release.better import is_it_better
from warehouse.explorer.release.catalogue import exposure_sentence
from warehouse.explorer.release.difference import what_differs
from warehouse.explorer.release.input import anything_wrong
from warehouse.explorer.release.lists import Change, what_changed
from warehouse.explorer.release.metrics import in_words
from warehouse.explorer.release.variants import why_not_served
from warehouse.explorer.wording import listed

UP, FLAT, DOWN = 0.03, 0.001, -0.03


@pytest.mark.parametrize(
    ("recall", "ndcg", "state", "answer"),
    [
        (UP, FLAT, "good", "Yes: of 100 tracks people went on to play, 41.2 were in their first "
         "20, 40.0 before (+3.0 %, interval 1.0 to 5.0)."),
        (FLAT, FLAT, "plain", "No measurable difference: of 100 tracks people went on to play, "
         "40.0 were in their first 20, 40.0 before (+0.1 %, interval −1.9 to 2.1)."),
        (FLAT, DOWN, "bad", "No, worse: the order of the first 100 reaches 24.2 % of the best "
         "possible order, 25.0 before (−3.0 %, interval −5.0 to −1.0)."),
    ],
)  # fmt: skip
def test_better_or_not(recall: float, ndcg: float, state: str, answer: str) -> None:
    found = [comparison("old", "recall@20", 0.4, recall, 0.02),
             comparison("old", "ndcg@100", 0.25, ndcg, 0.02)]  # fmt: skip
    said = is_it_better(found, "old")
    assert (said.state, said.answer) == (state, answer)
    assert len(said.lines) == 2


def test_better_in_part_names_both() -> None:
    found = [comparison("old", "recall@20", 0.4, UP, 0.02),
             comparison("old", "ndcg@100", 0.25, DOWN, 0.02)]  # fmt: skip
    answer = is_it_better(found, "old").answer
    assert answer.startswith("In part: of 100 tracks")
    assert ", but the order of the first 100" in answer


def test_no_comparison_says_with_what_it_was_compared() -> None:
    found = [comparison("old", "recall@20", 0.4, UP, 0.02)]
    assert is_it_better(found, "older").answer == (
        "Unknown: the gate did not compare it with `older`. It compared it with `old`."
    )
    assert is_it_better(found, None, ["why"]).more == ("why",)


def test_changed_lists() -> None:
    change = Change(98, 20, shared=0.85, average_overlap=0.9, same_first=0.5, entered=(), left=())
    assert what_changed(change).answer == (
        "On average, 17.0 of a list's 20 tracks are the same, and 50 % of people have the same "
        "first track."
    )
    none = Change(0, 0, 0.0, 0.0, 0.0, (), ())
    assert what_changed(none).state == "open"
    assert what_changed(None).state == "plain"


def check(name: str, status: str) -> dict[str, Any]:
    """Return a row of `data_quality`."""
    return {
        "check_name": name,
        "status": status,
        "severity": "warn",
        "observed": 0.0,
        "details": "details",
    }


REJECTED = [{"file": "a.csv", "reason": "track_id_missing", "rows": 2}]


@pytest.mark.parametrize(
    ("checks", "rejected", "state", "answer"),
    [
        (["passed", "skipped"], [], "good", "No: the only check passed, and no row was set aside."),
        (["passed"], REJECTED, "open",
         "A little: the only check passed, but 2 rows were set aside (track id missing 2)."),
        (["failed", "passed"], [], "bad",
         "Yes: 1 check of 2 failed (drift users), and no row was set aside."),
        ([], [], "open", "Unknown: this release holds no checks of its input."),
    ],
)  # fmt: skip
def test_input(checks: list[str], rejected: list[Any], state: str, answer: str) -> None:
    rows = [check("drift_users", status) for status in checks]
    # a check of the model is none of the input
    said = anything_wrong([*rows, check("hybrid_keeps_up:all", "failed")], rejected)
    assert (said.state, said.answer) == (state, answer)


def test_what_was_found_within_the_limits_is_said_too() -> None:
    unknown = check("unknown_tracks", "passed") | {"observed": 0.01, "details": "track X (231)"}
    distance = check("drift_users", "passed") | {"observed": 0.01}
    said = anything_wrong([unknown, distance, check("long_values", "passed")], [])
    assert said.answer == "No: all 3 checks passed, and no row was set aside."
    assert said.lines == (Line("unknown tracks", "track X (231)", "within the limit"),)


def test_what_may_have_made_two_releases_different() -> None:
    rows = {"tracks": 10, "users": 100, "listens": 1000}
    then = {
        "row_counts": rows,
        "parameters": json.dumps({"collaborative": {"model": "cosine"}, "a": 1}),
        "code_version": "1",
    }
    more = {"row_counts": rows | {"listens": 1100}}
    learned = {"parameters": json.dumps({"collaborative": {"model": "learned"}, "a": 1})}
    assert what_differs(then, then) == "Data, parameters and code are the same."
    assert what_differs(then | more | learned, then) == (
        'What differs: 1,100 listens (+10.0 %) and `collaborative.model` "cosine" → "learned".'
    )
    assert what_differs(then | {"code_version": "2"}, then) == "What differs: code 1 → 2."
    many = {"parameters": json.dumps(dict.fromkeys("bcde", 2))}
    assert what_differs(then | many, then).endswith("and 3 more parameters.")


def test_the_most_over_exposed_artist() -> None:
    first = {"artist": "X", "share_of_lists": 0.121, "share_of_plays": 0.06}
    assert exposure_sentence(first, 3) == (
        "Most of all X: 12.1 % of the places in people's lists, 6.0 % of the plays, and 2 others "
        "less so."
    )
    assert exposure_sentence(first, 1).endswith("6.0 % of the plays.")


def test_a_variant_that_scores_higher_says_why_it_is_not_served() -> None:
    values = {
        "ndcg": {"hybrid": 0.28, "hybrid_any_artist": 0.32, "fifty_fifty": 0.29, "cosine": 0.1},
        "artist_diversity": {"hybrid": 0.89, "hybrid_any_artist": 0.55},
    }
    rows = [
        {"model": model, "segment": "all", "metric": metric, "value": value,
         "k": 100 if metric == "ndcg" else 20}
        for metric, of in values.items() for model, value in of.items()
    ]  # fmt: skip
    artist, fifty = why_not_served(rows, "ndcg", 100, "all", 0.7)
    assert "`hybrid any artist` scores 0.320 here, above the 0.280 of `hybrid`" in artist
    assert "55 are by different artists, in the lists served 89" in artist
    assert fifty.startswith("`fifty fifty` scores 0.290")
    assert why_not_served(rows, "ndcg", 100, "unknown", 0.7) == []


def test_metrics_in_words() -> None:
    assert in_words("recall", 20, 0.374) == (
        "Of 100 tracks people went on to play, 37 were in their first 20"
    )
    assert in_words("novelty", 20, 5.0) == "A track shown is known to one listener in 32"  # 2⁵
    assert in_words("a_new_one", 0, 0.25) == "0.2500"
    assert [listed(words) for words in ([], ["a"], ["a", "b", "c"])] == ["", "a", "a, b and c"]
