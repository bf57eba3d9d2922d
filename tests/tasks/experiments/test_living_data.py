"""What stays true when days bring more: repeated exports, wrong clocks, outliers, moving segments.

Each test reads files as a run does.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tasks.blend.parameters import DEFAULT_SEGMENTS
from tasks.dataset.experiments import Experiment
from tasks.dataset.feedback import EventsSpec, ExposuresSpec, FeedbackSpec
from tasks.experiments.parameters import ExperimentParameters
from tasks.experiments.stage import experiments_stage
from tasks.feedback.stage import feedback_stage
from tasks.ingest.limits import IngestLimits
from tasks.lake.contracts.stages.ingest import USERS
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import StageResult

SHOWN = "exposure_id,user_id,track_id,rank,experiment,variant,shown_at\n"
DONE = "event_id,exposure_id,user_id,kind,at,value\n"
START = datetime(2026, 3, 1)
EXPERIMENT = Experiment.model_validate(
    {
        "name": "slider",
        "start": "2026-03-01",
        "end": "2026-03-15",
        "variants": ({"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "weight": 0.2}),
    }
)
ALL_PLAYED_3 = {f"u{n}": 3 for n in range(400)}


def at(day: float) -> str:
    return (START + timedelta(days=day)).isoformat()


def shown(user: int, day: float, number: int = 0) -> str:
    variant = "ab"[user % 2]
    return f"x{user}-{number},u{user},t{number},1,slider,{variant},{at(day)}"


def event(kind: str, user: int, day: float, value: float | str = "", name: str = "") -> str:
    """Return an event of the listener's first exposure, or of the listener."""
    if kind in ("click", "play", "skip"):
        return f"{name},x{user}-0,,{kind},{at(day)},{value}"
    return f"{name},,u{user},{kind},{at(day)},{value}"


def write(folder: Path, name: str, exposures: Sequence[str], events: Sequence[str]) -> None:
    (folder / f"shown-{name}.csv").write_text(SHOWN + "\n".join(exposures) + "\n")
    (folder / f"done-{name}.csv").write_text(DONE + "\n".join(events) + "\n")


def measure(
    folder: Path, history: dict[str, int], parameters: ExperimentParameters | None = None
) -> StageResult:
    (folder / "lake").mkdir(exist_ok=True)
    spec = FeedbackSpec(
        exposures=ExposuresSpec(
            path=(str(folder / "shown*"),), id="exposure_id", user="user_id", track="track_id",
            rank="rank", experiment="experiment", variant="variant", at="shown_at",
        ),
        events=EventsSpec(
            path=(str(folder / "done*"),), id="event_id", exposure="exposure_id", user="user_id",
            kind="kind", at="at", value="value",
        ),
    )  # fmt: skip
    feedback = feedback_stage(folder / "lake", spec, IngestLimits(), "1GB")
    assert feedback.broken == {}
    names = sorted(history)
    played = np.array([history[name] for name in names], np.int32)
    columns = [
        np.arange(len(names), dtype=np.int32),
        pa.array(names),
        played,
        played.astype(np.int64),
    ]
    users = folder / "users.parquet"
    write_parquet(pa.table(columns, schema=USERS.schema), users)
    return experiments_stage(
        folder / "lake", feedback, Dataset.of(users), [EXPERIMENT], DEFAULT_SEGMENTS,
        parameters or ExperimentParameters(), IngestLimits(), "1GB",
    )  # fmt: skip


def row(result: StageResult, metric: str, variant: str = "b", segment: str = "all") -> Any:
    return next(
        found
        for found in result["experiment_results"].read().to_pylist()
        if (found["metric"], found["variant"], found["segment"]) == (metric, variant, segment)
    )


def days_of(users: int) -> tuple[list[str], list[str]]:
    """Return exposures over a week; a third plays 100 s, a quarter comes back the day after."""
    exposures = [shown(user, 0.1 + user % 7) for user in range(users)]
    events = [
        event("play", user, 0.2 + user % 7, 90 + user % 20, f"p{user}")
        for user in range(users)
        if user % 3 == 0
    ]
    events += [event("return", user, 1.3 + user % 7) for user in range(users) if user % 8 < 2]
    events.append(f",,stranger,return,{at(12)},")
    return exposures, events


def test_exposures_and_events_of_overlapping_files_count_once(tmp_path: Path) -> None:
    exposures, events = days_of(400)
    write(tmp_path, "1", exposures, events)
    once = measure(tmp_path, ALL_PLAYED_3)
    write(tmp_path, "2", exposures[100:], events[50:])  # exported again
    again = measure(tmp_path, ALL_PLAYED_3)
    assert row(once, "listening_seconds")["value"] > 0
    assert again["experiment_results"].read().equals(once["experiment_results"].read())
    assert again["click_rates"].read().equals(once["click_rates"].read())


def test_an_event_with_an_id_counts_once_whatever_it_says_later(tmp_path: Path) -> None:
    exposures, events = days_of(400)
    write(tmp_path, "1", exposures, events)
    once = row(measure(tmp_path, ALL_PLAYED_3), "listening_seconds", "a")
    # the play of listener 0 went on: the next export has more seconds under the same id
    write(tmp_path, "2", [shown(1000, 3)], [event("play", 0, 0.3, 105, "p0")])
    more = row(measure(tmp_path, ALL_PLAYED_3), "listening_seconds", "a")
    assert more["value"] * more["users"] == pytest.approx(once["value"] * once["users"] + 15)


@pytest.mark.parametrize("moment", ["2099-01-01", "2026-11-01", "2031-05-05T05:05:05"])
def test_a_wrong_clock_does_not_zero_the_returns(tmp_path: Path, moment: str) -> None:
    exposures, events = days_of(400)
    late = [shown(user, 11.5) for user in range(400, 460)]  # not due yet
    events += [event("click", user, 11.6, name=f"c{user}") for user in range(400, 460)]
    write(tmp_path, "1", exposures + late, events)
    before = row(measure(tmp_path, ALL_PLAYED_3), "return_day_1")
    write(tmp_path, "2", [shown(460, 11.5)], [f"odd,,u7,click,{moment},"])
    result = measure(tmp_path, ALL_PLAYED_3)
    after = row(result, "return_day_1")
    assert after["value"] == before["value"] == 50 / 200
    assert after["as_of"] == datetime(2026, 3, 12, 14, 24)
    assert (
        "1 exposures and events with a much later date are taken for wrong clocks" in after["note"]
    )
    checks = {one["check_name"]: one for one in result["data_quality"].read().to_pylist()}
    assert checks["wrong_clocks"]["status"] == "failed"
    assert checks["wrong_clocks"]["observed"] == 1


def test_a_wrong_clock_in_little_feedback(tmp_path: Path) -> None:
    write(
        tmp_path,
        "1",
        [shown(user, 1) for user in range(6)],
        [event("return", 1, 2.5), event("return", 3, 4), f",,u9,return,{at(60_000)[:4]}-01-01,"],
    )
    assert row(measure(tmp_path, ALL_PLAYED_3), "return_day_7")["value"] is None


def test_a_quiet_end_is_no_wrong_clock(tmp_path: Path) -> None:
    """A fifth of the rows of a usual day is enough to say that the days went on."""
    exposures, events = days_of(400)
    events += [event("return", user, 20.5) for user in range(20)]
    write(tmp_path, "1", exposures, events)
    found = row(measure(tmp_path, ALL_PLAYED_3), "return_day_7")
    assert found["as_of"] == START + timedelta(days=20.5)
    assert found["value"] == 0


def test_events_that_trickle_in_are_no_wrong_clocks(tmp_path: Path) -> None:
    exposures, events = days_of(400)
    write(tmp_path, "1", exposures, [*events, event("click", 3, 10), event("click", 5, 14)])
    result = measure(tmp_path, ALL_PLAYED_3)
    assert row(result, "click_through_rate")["as_of"] < START + timedelta(days=9)
    checks = {one["check_name"]: one for one in result["data_quality"].read().to_pylist()}
    assert checks["wrong_clocks"]["status"] == "passed"


def test_one_outlier_flips_no_result(tmp_path: Path) -> None:
    exposures, events = days_of(400)
    write(tmp_path, "1", exposures, events)
    before = row(measure(tmp_path, ALL_PLAYED_3), "listening_seconds")
    write(tmp_path, "2", [shown(401, 3)], [event("play", 1, 1.3, 1e7, "robot")])
    after = row(measure(tmp_path, ALL_PLAYED_3), "listening_seconds")
    assert after["capped"] == 1
    assert "1 listeners' values are capped at the 99.9% quantile" in after["note"]
    assert after["lift"] == pytest.approx(before["lift"], abs=0.03)
    uncapped = row(
        measure(tmp_path, ALL_PLAYED_3, ExperimentParameters(cap=0.999999)), "listening_seconds"
    )
    assert uncapped["lift"] == pytest.approx(before["lift"], abs=0.03)  # never the largest itself


def test_listeners_stay_in_the_segment_of_their_first_exposure(tmp_path: Path) -> None:
    exposures, events = days_of(400)
    write(tmp_path, "1", exposures, events)
    first = measure(tmp_path, ALL_PLAYED_3)
    # Variant b made everybody listen more: today all of its listeners have long histories.
    more = {name: 200 if int(name[1:]) % 2 else 3 for name in ALL_PLAYED_3}
    seen = [shown(user, 9, 1) for user in range(0, 400, 2)]
    write(tmp_path, "2", seen, [event("return", 1, 9)])
    later = measure(tmp_path, more)
    occupied = {
        found["segment"]: found["users"]
        for found in later["experiment_results"].read().to_pylist()
        if found["metric"] == "click_through_rate" and found["variant"] == "b"
    }
    before = {
        found["segment"]: found["users"]
        for found in first["experiment_results"].read().to_pylist()
        if found["metric"] == "click_through_rate" and found["variant"] == "b"
    }
    assert occupied == before
    assert sum(users > 0 for users in occupied.values()) == 2  # `all` and one segment
    # A listener who is new today is placed by today's history.
    write(tmp_path, "3", [shown(401, 9.5)], [event("return", 1, 9.6)])
    newer = measure(tmp_path, {**more, "u401": 200})
    placed = [
        found["users"]
        for found in newer["experiment_results"].read().to_pylist()
        if found["metric"] == "click_through_rate" and found["variant"] == "b"
    ]
    assert sorted(users for users in placed if users) == [1, 200, 201]


def test_measuring_the_same_again_reuses_it(tmp_path: Path) -> None:
    write(tmp_path, "1", *days_of(400))
    assert not measure(tmp_path, ALL_PLAYED_3).reused
    assert measure(tmp_path, ALL_PLAYED_3).reused


def test_a_mismatch_within_a_segment_withholds_that_segment(tmp_path: Path) -> None:
    """As many listeners in both variants, but all with long histories are in one."""
    exposures, events = days_of(400)
    write(tmp_path, "1", exposures, events)
    history = {f"u{n}": 200 if n % 2 and n < 100 else 3 for n in range(400)}
    result = measure(tmp_path, history)
    rows = [
        found
        for found in result["experiment_results"].read().to_pylist()
        if found["metric"] == "click_through_rate" and found["variant"] == "b"
    ]
    withheld = {found["segment"] for found in rows if found["note"].startswith("withheld")}
    long = [found["segment"] for found in rows if found["users"] == 50]
    assert withheld == set(long) != set()
    whole = next(found for found in rows if found["segment"] == "all")
    assert f"sample ratio mismatch in segment {long[0]}" in whole["note"]
    assert whole["value"] is not None


def test_it_is_said_until_when_a_metric_is_complete(tmp_path: Path) -> None:
    exposures = [shown(user, 0.1 + user % 10) for user in range(400)]
    # Plays follow two days after the exposure, clicks at once; the events reach until day 10.
    events = [event("click", user, 0.1 + user % 10) for user in range(400)]
    events += [event("play", user, 2.1 + user % 10, 60) for user in range(400) if user % 10 < 8]
    write(tmp_path, "1", exposures, events)
    result = measure(tmp_path, ALL_PLAYED_3)
    until = START + timedelta(days=9.1)
    assert row(result, "click_through_rate")["complete_until"] == until
    assert row(result, "plays_per_exposure")["complete_until"] == until - timedelta(days=2)
    assert row(result, "listening_seconds")["complete_until"] == until - timedelta(days=2)
    assert row(result, "return_day_1")["complete_until"] == until - timedelta(days=2)
    assert row(result, "return_day_7")["complete_until"] == until - timedelta(days=8)
    note = row(result, "plays_per_exposure")["note"]
    assert "complete until 2026-03-08 02:24, later exposures may still gain" in note
    assert "complete until" not in row(result, "click_through_rate")["note"]


def test_returns_wait_for_the_events_not_for_the_exposures(tmp_path: Path) -> None:
    """Exposures came until day 12, but the events only until day 5."""
    exposures = [shown(user, 0.1 + user % 12) for user in range(480)]
    events = [event("return", user, 1.5 + user % 12) for user in range(480) if user % 12 < 4]
    write(tmp_path, "1", exposures, events)
    found = row(measure(tmp_path, ALL_PLAYED_3), "return_day_1")
    assert found["value"] == 1  # all who are due came back; the others are not known yet
