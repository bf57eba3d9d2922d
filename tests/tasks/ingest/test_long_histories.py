"""A history that is too long for a list is set aside and counted; the others are as they were."""

from pathlib import Path

import pyarrow as pa
import pytest

from tasks.blend.kernels.sums import LONGEST_HISTORY as RANKED
from tasks.dataset.spec import DatasetSpec
from tasks.ingest.history import Plays
from tasks.ingest.long_histories import LONGEST_HISTORY, set_long_aside
from tasks.ingest.stage import ingest_stage


def test_the_limit_is_what_ranking_can_add_up() -> None:
    assert LONGEST_HISTORY <= RANKED


@pytest.mark.parametrize("longest", [1, 2, 3, 4])
def test_distinct_tracks_decide(longest: int) -> None:
    rows = [(0, 5, 1), (0, 5, 1), (0, 6, 1), (1, 1, 1), (1, 2, 1), (1, 3, 1), (3, 9, 4)]
    columns = ("user_code", "track_key", "plays")
    plays = Plays(
        pa.table(dict(zip(columns, zip(*rows, strict=True), strict=True))).cast(
            pa.schema([(name, pa.int32()) for name in columns])
        ),
        pa.chunked_array([["a", "b", "c", "d"]]),
        pa.table({}),
        [],
    )
    tracks, records = {"a": 2, "b": 3, "d": 1}, {"a": 3, "b": 3, "d": 1}
    kept, aside = set_long_aside(plays, longest)
    long = [user for user in tracks if tracks[user] > longest]
    assert aside.to_pylist() == [
        {"user_id": user, "tracks": tracks[user], "records": records[user]} for user in long
    ]
    expected = [row for row in rows if "abcd"[row[0]] not in long]
    assert [tuple(row.values()) for row in kept.rows.to_pylist()] == expected


def test_one_such_listener_does_not_stop_a_run(tmp_path: Path) -> None:
    number = LONGEST_HISTORY + 1
    tracks = "".join(f"T{one:06},{one},A\n" for one in range(number))
    plays = "".join(f"T{one:06},robot,1\n" for one in range(number))
    (tmp_path / "t.csv").write_text("track_id,name,artist\n" + tracks)
    (tmp_path / "p.csv").write_text(
        "track_id,user_id,playcount\n" + plays + "T000001,robot,2\nT000001,u,3\nT000002,u,1\n"
    )
    read = ingest_stage(
        tmp_path / "lake", DatasetSpec.kaggle(tmp_path / "t.csv", tmp_path / "p.csv")
    )
    assert read["users"].read()["user_id"].to_pylist() == ["u"]
    assert read.counts["long_histories"] == 1
    assert read.counts["long_history_plays"] == number + 1
    (check,) = (
        row
        for row in read["data_quality"].read().to_pylist()
        if row["check_name"] == "long_histories"
    )
    assert (check["severity"], check["status"]) == ("warn", "failed")
    assert f"listener robot with {number} tracks ({number + 1:,})" in check["details"]
