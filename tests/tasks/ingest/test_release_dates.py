"""Days of release: what a text says, and what the lake keeps."""

from datetime import date
from pathlib import Path

import pytest

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.release_dates import release_day
from tasks.ingest.stage import ingest_stage


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024", date(2024, 1, 1)),
        ("2024.0", date(2024, 1, 1)),
        ("2024-05", date(2024, 5, 1)),
        ("2024-05-17", date(2024, 5, 17)),
        ("2024/5/7", date(2024, 5, 7)),
        (" 2024-05-17T00:00:00Z ", date(2024, 5, 17)),
        ("2024-05-17 00:00:00.000", date(2024, 5, 17)),
        ("20240517", date(2024, 5, 17)),
        ("1999-00-00", date(1999, 1, 1)),
        ("1999-04-00", date(1999, 4, 1)),
        ("Oct 21, 2008", date(2008, 10, 21)),
        ("October 21 2008", date(2008, 10, 21)),
        ("Oct 2008", date(2008, 10, 1)),
        ("21 Oct, 2008", date(2008, 10, 21)),
        ("31 Jan 2020, 14:02", None),
        ("2023-02-29", None),
        ("2024-13-01", None),
        ("01/02/2024", None),
        ("soon", None),
        ("Foo 2008", None),
        ("", None),
    ],
)
def test_a_text_names_a_day(text: str, expected: date | None) -> None:
    assert release_day(text) == expected


def test_the_lake_has_the_day_also_of_what_is_to_come(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id,out\na,2024-05-17\nb,2099-01\nc,1900-01-01\nd,NA\ne,soon\nf,1999\n"
    )
    (tmp_path / "p.csv").write_text("u,t\n1,a\n1,b\n")
    (tmp_path / "d.toml").write_text(
        '[tracks]\npath = "t.csv"\nid = "id"\nreleased = "out"\nnumeric = []\n'
        '[plays]\npath = "p.csv"\nuser = "u"\ntrack = "t"\n'
    )
    result = ingest_stage(tmp_path / "lake", DatasetSpec.from_toml(tmp_path / "d.toml"))
    tracks = result["tracks"].read().to_pydict()
    assert tracks["released"] == [
        date(2024, 5, 17), date(2099, 1, 1), None, None, None, date(1999, 1, 1),
    ]  # fmt: skip
    assert tracks["year"] == [2024, 2099, None, None, None, 1999]
    (check,) = (
        row
        for row in result["data_quality"].read().to_pylist()
        if row["check_name"] == "unreadable_values"
    )
    assert check["observed"] == 1
    assert "out: 'soon' (1)" in check["details"]


def test_a_feature_of_that_name_makes_room(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,out,released\na,2024-05-17,3.5\n")
    (tmp_path / "p.csv").write_text("u,t\n1,a\n")
    (tmp_path / "d.toml").write_text(
        '[tracks]\npath = "t.csv"\nid = "id"\nreleased = "out"\nnumeric = ["released"]\n'
        '[plays]\npath = "p.csv"\nuser = "u"\ntrack = "t"\n'
    )
    result = ingest_stage(tmp_path / "lake", DatasetSpec.from_toml(tmp_path / "d.toml"))
    row = result["tracks"].read().to_pylist()[0]
    assert (row["released"], row["feature_released"]) == (date(2024, 5, 17), 3.5)
