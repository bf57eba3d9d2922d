"""Feedback from files to results: read once, checked, broken files left out, sums by hand."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tasks.blend.parameters import DEFAULT_SEGMENTS
from tasks.dataset.experiments import Experiment
from tasks.dataset.feedback import EventsSpec, ExposuresSpec, FeedbackSpec
from tasks.experiments.parameters import ExperimentParameters
from tasks.experiments.stage import experiments_stage
from tasks.feedback.stage import Feedback, feedback_stage
from tasks.forgetting.remember import remember
from tasks.ingest.limits import IngestLimits
from tasks.lake.contracts.breaches import file_breaches
from tasks.lake.contracts.document import stage_contracts
from tasks.lake.contracts.stages.ingest import USERS
from tasks.lake.dataset import Dataset
from tasks.lake.files import write_parquet
from tasks.lake.record import StageResult
from warehouse.releases.home import Home

SHOWN = "exposure_id,user_id,track_id,rank,experiment,variant,shown_at\n"
DONE = "exposure_id,user_id,kind,at,value\n"
EXPERIMENT = Experiment.model_validate(
    {
        "name": "slider",
        "start": "2026-03-01",
        "end": "2026-03-15",
        "variants": ({"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "weight": 0.2}),
    }
)


def _spec(folder: Path) -> FeedbackSpec:
    return FeedbackSpec(
        exposures=ExposuresSpec(
            path=(str(folder / "shown*"),), id="exposure_id", user="user_id", track="track_id",
            rank="rank", experiment="experiment", variant="variant", at="shown_at",
        ),
        events=EventsSpec(
            path=(str(folder / "done*"),), exposure="exposure_id", user="user_id", kind="kind",
            at="at", value="value",
        ),
    )  # fmt: skip


def _read(folder: Path) -> Feedback:
    (folder / "lake").mkdir(exist_ok=True)
    return feedback_stage(folder / "lake", _spec(folder), IngestLimits(), "1GB")


def _measure(
    folder: Path,
    feedback: Feedback,
    users: list[str],
    parameters: ExperimentParameters | None = None,
) -> StageResult:
    file = folder / "users.parquet"
    n = len(users)
    ones = np.ones(n, np.int32)
    columns = [np.arange(n, dtype=np.int32), pa.array(users), ones * 3, ones.astype(np.int64)]
    write_parquet(pa.table(columns, schema=USERS.schema), file)
    return experiments_stage(
        folder / "lake", feedback, Dataset.of(file), [EXPERIMENT], DEFAULT_SEGMENTS,
        parameters or ExperimentParameters(), IngestLimits(), "1GB",
    )  # fmt: skip


GOOD = "x1,u1,t1,1,slider,a,2026-03-02T10:00:00Z\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",u1,t1,1,,,2026-03-02", "exposure_id_missing"),
        ("x1,u1,t1,1,,,2026-03-02", "exposure_id_repeated"),
        ("x2,  ,t1,1,,,2026-03-02", "user_id_missing"),
        ("x2,u1,,1,,,2026-03-02", "track_id_missing"),
        ("x2,u1,t1,0,,,2026-03-02", "rank_not_positive"),
        ("x2,u1,t1,1.5,,,2026-03-02", "rank_not_positive"),
        ("x2,u1,t1,first,,,2026-03-02", "rank_not_positive"),
        ("x2,u1,t1,1,slider,,2026-03-02", "variant_missing"),
        ("x2,u1,t1,1,,,yesterday", "time_unreadable"),
        ("x2,u1,t1,1,,,1026-03-02", "time_unreadable"),
        ("x2,u1,t1,1,,,1772445600000000", "time_unreadable"),
        ("x2,u1,t1,1,,,1e300", "time_unreadable"),
        ("x2,u1,t1,1,,,1e999", "time_unreadable"),
        ("x2,u1,t1,1,,", "too_few_fields"),
        ('x2,u1,"t1,1,,,2026-03-02', "open_quote"),
        (SHOWN.strip(), "repeated_header"),
    ],
)
def test_a_bad_exposure_is_set_aside(tmp_path: Path, row: str, reason: str) -> None:
    (tmp_path / "shown.csv").write_text(SHOWN + GOOD + row + "\n" + GOOD.replace("x1", "x3"))
    (tmp_path / "done.csv").write_text(DONE + "x1,,click,2026-03-02,\n")
    feedback = _read(tmp_path)
    assert feedback.broken == {}
    rejected = feedback.exposures[0]["rejected_rows"].read().to_pylist()
    assert rejected == [{"file": "shown.csv", "record": 3, "reason": reason, "raw": row}]
    assert feedback.exposures[0]["rows"].rows == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",,click,2026-03-02,", "event_of_nobody"),
        ("x1,,wink,2026-03-02,", "kind_unknown"),
        ("x1,,,2026-03-02,", "kind_unknown"),
        ("x1,,click,,", "time_unreadable"),
        ("x1,,play,2026-03-02,long", "value_not_a_number"),
        ("x1,,play,2026-03-02,-3", "value_not_a_number"),
    ],
)
def test_a_bad_event_is_set_aside(tmp_path: Path, row: str, reason: str) -> None:
    (tmp_path / "shown.csv").write_text(SHOWN + GOOD)
    good = "x1,,click,2026-03-02,\n"
    (tmp_path / "done.csv").write_text(DONE + good + row + "\n" + good)  # delivered twice
    feedback = _read(tmp_path)
    rejected = feedback.events[0]["rejected_rows"].read().to_pylist()
    assert rejected == [{"file": "done.csv", "record": 3, "reason": reason, "raw": row}]
    assert feedback.events[0]["rows"].rows == 1


def test_moments_are_the_same_in_every_form(tmp_path: Path) -> None:
    forms = ["2026-03-02T10:00:00Z", "2026-03-02 12:00:00+02:00", "2026-03-02 10:00", "1772445600"]
    rows = [f"x{at},u1,t1,1,,,{form}\n" for at, form in enumerate(forms)]
    (tmp_path / "shown.csv").write_text(SHOWN + "".join(rows))
    (tmp_path / "done.csv").write_text(DONE + "x1,,click,2026-03-02,\n")
    moments = _read(tmp_path).exposures[0]["rows"].read()["occurred"].to_pylist()
    assert len(moments) == 4
    assert len(set(moments)) == 1


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    for kind in ("csv", "parquet"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "done.csv").write_text(DONE + "x1,,click,2026-03-02,\n")
    csv = tmp_path / "csv" / "shown.csv"
    csv.write_text(SHOWN + GOOD + "x2,u2,t1,0,,,2026-03-02 11:00\nx3,u2,t1,2,,,2026-03-02 11:00\n")
    pq.write_table(pyarrow.csv.read_csv(csv), tmp_path / "parquet" / "shown.parquet")
    by_csv, by_parquet = (_read(tmp_path / kind).exposures[0] for kind in ("csv", "parquet"))
    assert by_csv["rows"].read().to_pylist() == by_parquet["rows"].read().to_pylist()
    assert by_csv.counts == by_parquet.counts == {"records": 3, "rejected": 1}


def test_only_new_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "shown-1.csv").write_text(SHOWN + GOOD)
    (tmp_path / "done-1.csv").write_text(DONE + "x1,,click,2026-03-02,\n")
    assert _read(tmp_path).files_read == 2
    (tmp_path / "shown-1.csv").rename(tmp_path / "shown-one.csv")
    (tmp_path / "shown-2.csv").write_text(SHOWN + GOOD.replace("x1", "x2"))
    again = _read(tmp_path)
    assert again.files_read == 1
    (tmp_path / "shown-copy.csv").write_text(SHOWN + GOOD)  # delivered twice
    assert len(_read(tmp_path).exposures) == 2


def test_the_lake_is_as_declared(tmp_path: Path) -> None:
    (tmp_path / "shown.csv").write_text(SHOWN + GOOD)
    (tmp_path / "done.csv").write_text(DONE + "x1,,click,2026-03-02,\n")
    feedback = _read(tmp_path)
    measured = _measure(tmp_path, feedback, ["u1"])
    contracts = {contract.stage: contract.datasets for contract in stage_contracts()}
    for result in (*feedback.results, measured):
        assert set(result.datasets) == set(contracts[result.stage])
        for name, dataset in result.datasets.items():
            assert file_breaches(name, contracts[result.stage][name], [dataset.path]) == []


BROKEN = {
    "shown-empty.csv": b"",
    "shown-picture.csv": b"\x89PNG\r\n\x1a\n\x00\x00",
    "shown-columns.csv": b"exposure,who\nx,u\n",
    "shown-bad.csv": SHOWN.encode() + b"x,u,t,no,,,never\n" * 50,
    "shown-cut.parquet": b"PAR1 and then nothing",
    "done-cut.csv.gz": b"\x1f\x8b\x08\x00cut",
}


def test_broken_files_cost_themselves(tmp_path: Path) -> None:
    (tmp_path / "shown.csv").write_text(SHOWN + GOOD)
    (tmp_path / "done.csv").write_text(DONE + "x1,,click,2026-03-02,\n")
    for name, content in BROKEN.items():
        (tmp_path / name).write_bytes(content)
    feedback = _read(tmp_path)
    assert set(feedback.broken) == set(BROKEN)
    assert all("\n" not in sentence for sentence in feedback.broken.values())
    measured = _measure(tmp_path, feedback, ["u1"])
    row = measured["experiment_results"].read().to_pylist()[0]
    assert "shown-empty.csv" in row["note"]
    checks = {row["check_name"]: row for row in measured["data_quality"].read().to_pylist()}
    assert checks["feedback_files"]["status"] == "failed"
    assert checks["feedback_files"]["severity"] == "warn"
    assert checks["feedback_files"]["observed"] == len(BROKEN)


def test_no_files_yet_is_no_results(tmp_path: Path) -> None:
    feedback = _read(tmp_path)
    assert len(feedback.broken) == 2
    measured = _measure(tmp_path, feedback, ["u1"])
    assert measured["experiment_results"].rows == 0


def test_sums_by_hand(tmp_path: Path) -> None:
    """u1 and u2 in a, u3 in b; u4 saw both and is excluded; u5 is in an unknown variant."""
    rows = [
        "p1,u1,t1,1,,,2026-02-20",
        "p2,u1,t2,2,,,2026-02-20",
        "x1,u1,t1,1,slider,a,2026-03-02T10:00:00",
        "x2,u1,t2,2,slider,a,2026-03-02T10:00:00",
        "x3,u2,t1,1,slider,a,2026-03-03T10:00:00",
        "x4,u3,t1,1,slider,b,2026-03-03T10:00:00",
        "x5,u4,t1,1,slider,a,2026-03-03T10:00:00",
        "x6,u4,t1,1,slider,b,2026-03-04T10:00:00",
        "x7,u5,t1,1,slider,c,2026-03-04T10:00:00",
        "x8,u3,t1,1,slider,b,2026-03-15T00:00:00",  # the end does not count any more
    ]
    events = [
        "x1,,click,2026-03-02T10:01:00,",
        "x1,,click,2026-03-02T10:02:00,",  # clicking twice is one click
        "x1,,play,2026-03-02T10:02:00,100",
        "x3,,play,2026-03-03T10:02:00,20",
        "x3,,skip,2026-03-03T10:02:30,",
        ",u3,click,2026-03-05T00:00:00,",  # without an exposure
        ",u3,click,2026-03-01T00:00:00,",  # before the first exposure
        ",u1,return,2026-03-03T11:00:00,",  # a day and an hour later
        ",u2,return,2026-03-05T11:00:00,",  # two days later
        "x4,,subscribe,2026-03-05T00:00:00,",  # its listener is looked up
        "x99,,click,2026-03-05T00:00:00,",
        ",u9,return,2026-03-15T12:00:00,",  # who takes no part; the events reach until here
    ]
    (tmp_path / "shown.csv").write_text(SHOWN + "\n".join(rows) + "\n")
    (tmp_path / "done.csv").write_text(DONE + "\n".join(events) + "\n")
    measured = _measure(tmp_path, _read(tmp_path), ["u1", "u2", "u3", "u4", "u5"])
    found = {
        (row["variant"], row["metric"]): (row["users"], row["exposures"], row["value"])
        for row in measured["experiment_results"].read().to_pylist()
        if row["segment"] == "all"
    }
    assert found["a", "click_through_rate"] == (2, 3, 1 / 3)
    assert found["a", "plays_per_exposure"] == (2, 3, 2 / 3)
    assert found["a", "skip_rate"] == (2, 3, 1 / 3)
    assert found["a", "listening_seconds"] == (2, 3, 60)
    assert found["a", "return_day_1"] == (2, 3, 1 / 2)
    assert found["a", "return_day_7"] == (2, 3, 0)
    assert found["a", "return_day_30"] == (2, 3, None)  # nobody is due yet
    assert found["b", "click_through_rate"] == (1, 1, 1)
    assert found["b", "subscription_rate"] == (1, 1, 1)
    notes = {row["note"] for row in measured["experiment_results"].read().to_pylist()}
    assert all("1 listeners who saw two variants are left out" in note for note in notes)
    checks = {row["check_name"]: row for row in measured["data_quality"].read().to_pylist()}
    assert checks["unmatched_events"]["status"] == "failed"
    assert "slider, variant c" in checks["unknown_variants"]["details"]
    assert measured["click_rates"].rows == 0  # too few exposures
    bias = measured["position_bias"].read().to_pylist()
    assert [(row["rank"], row["exposures"], row["clicks"]) for row in bias] == [
        (1, 8, 1),
        (2, 2, 0),
    ]


def test_a_mismatch_withholds_the_result(tmp_path: Path) -> None:
    rows = [f"x{at},u{at},t1,1,slider,{'a' if at < 300 else 'b'},2026-03-03\n" for at in range(500)]
    (tmp_path / "shown.csv").write_text(SHOWN + "".join(rows))
    (tmp_path / "done.csv").write_text(DONE + "x1,,click,2026-03-03,\n")
    measured = _measure(tmp_path, _read(tmp_path), ["u1"])
    for row in measured["experiment_results"].read().to_pylist():
        assert row["note"].startswith("withheld, sample ratio mismatch (p = 8e-06): 300 listeners")
        assert row["value"] is row["lift"] is row["ci_low"] is row["p_value"] is None


def test_feedback_of_forgotten_listeners_is_counted_and_not_read(tmp_path: Path) -> None:
    remember(Home(tmp_path), ["u2-forgotten"])
    (tmp_path / "shown.csv").write_text(
        SHOWN
        + GOOD
        + "x2,u2-forgotten,t1,1,slider,b,2026-03-02T10:00:00Z\n"
        + "x3,u2-forgotten,t1,0,,,2026-03-02T10:00:00Z\n"
        + "x4,u3,t1,0,,,2026-03-02T10:00:00Z\n"
        + "x5,u2-forgotten,t1\n"
    )
    (tmp_path / "done.csv").write_text(
        DONE
        + "x1,,click,2026-03-02T10:00:01Z,\n"
        + ",u2-forgotten,return,2026-03-03T10:00:00Z,\n"
        + ",u2-forgotten,dance,2026-03-03T10:00:00Z,\n"
    )
    read = _read(tmp_path)
    assert not read.broken
    (shown,), (done,) = read.exposures, read.events
    assert shown["rows"].rows == done["rows"].rows == 1
    assert shown["rejected_rows"].read()["record"].to_pylist() == [5]
    assert done["rejected_rows"].rows == 0
    assert (shown.counts["forgotten"], done.counts["forgotten"], read.forgotten) == (3, 2, 5)
    measured = _measure(tmp_path, read, ["u1", "u3"])
    quality = {row["check_name"]: row for row in measured["data_quality"].read().to_pylist()}
    assert "rows (5)" in quality["forgotten_feedback"]["details"]
    for path in (tmp_path / "lake").rglob("*"):
        assert not path.is_file() or b"u2-forgotten" not in path.read_bytes()
