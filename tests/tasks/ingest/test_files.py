"""Files that cannot be used: one sentence with file, column and mend."""

import gzip
import io
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.files import find_files, tell_apart
from tasks.ingest.limits import IngestLimits
from tasks.ingest.stage import ingest_stage
from warehouse.errors import InputError

TRACKS = b"track_id,name\nT1,N\n"
PLAYS = b"track_id,user_id,playcount\nT1,u,1\n"


def ingest(folder: Path, tracks: bytes | None = TRACKS, plays: bytes | None = PLAYS) -> None:
    for name, content in (("tracks.csv", tracks), ("plays.csv", plays)):
        if content is not None:
            (folder / name).write_bytes(content)
    ingest_stage(folder / "lake", DatasetSpec.kaggle(folder / "tracks.csv", folder / "plays.csv"))


def parquet(**columns: list[object]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


def zipped(*names: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return sink.getvalue()


@pytest.mark.parametrize(
    ("tracks", "plays", "message"),
    [
        (None, PLAYS, r"there is no file .*tracks\.csv; check `--tracks`"),
        (TRACKS, None, r"there is no file .*plays\.csv; check `--plays`"),
        (TRACKS, b"", r"plays\.csv is empty"),
        (TRACKS, b"\n\n", r"plays\.csv is empty"),
        (b"\xef\xbb\xbf", PLAYS, r"tracks\.csv is empty"),
        (TRACKS, b"track_id,user_id,playcount\n", r"plays\.csv has a header and no rows"),
        (TRACKS, b"track_id,user_id,playcount", r"plays\.csv has a header and no rows"),
        (b"track_id,name\n\n", PLAYS, r"tracks\.csv has a header and no rows"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", PLAYS, r"tracks\.csv is a PNG image, not a CSV"),
        (TRACKS, b"PK\x03\x04xlsx", r"plays\.csv is a damaged zip archive"),
        (TRACKS, "track_id,user_id".encode("utf-16"), r"plays\.csv is UTF-16 text"),
        (TRACKS, b"track_id\0,user_id\n1,2\n", r"plays\.csv is not UTF-8 text"),
        (TRACKS, b"track_id,\xffuser_id\n1,2\n", r"plays\.csv is not UTF-8 text"),
        (TRACKS, b"\x1f\x8bnothing", r"plays\.csv is damaged gzip data"),
        (TRACKS, b"\x28\xb5\x2f\xfdnothing", r"plays\.csv is damaged zstd data"),
        (TRACKS, b"PAR1 and no more", r"plays\.csv is a damaged Parquet file"),
        (
            TRACKS,
            b"track_id,userid,playcount\nT1,u,1\n",
            r"plays\.csv: there is no column `user_id`; the file has track_id, userid, playcount; "
            r"rename `userid` to `user_id`, or describe the file in a dataset TOML",
        ),
        (TRACKS, b"track_id,User_ID,playcount\nT1,u,1\n", r"rename `User_ID` to `user_id`"),
        (TRACKS, b"T1,u,1\nT1,v,1\n", r"give the right file, with a header, in `--plays`"),
        (
            TRACKS,
            PLAYS.replace(b",", b"^"),
            r"nothing separates columns by ','.*`plays\.deli",
        ),
        (PLAYS, TRACKS, r"tracks\.csv is a history and plays\.csv a catalogue; swap `--tracks`"),
        (b"track_id,name\n", PLAYS, r"tracks\.csv has a header and no rows"),
        (
            TRACKS,
            parquet(track_id=["T1"], user_id=[{"id": "u"}], playcount=[1]),
            r"plays\.csv: column `user_id` holds struct<.*>; write text or numbers",
        ),
        (TRACKS, b"track_id,user_id\nT1,u\n", r"there is no column `playcount`"),
        (b"id,name\nT1,N\n", PLAYS, r"tracks\.csv: there is no column `track_id`"),
        (TRACKS, b"\xd0\xcf\x11\xe0", r"plays\.csv is an Excel workbook of the old kind"),
        (TRACKS, b"%PDF-1.7", r"plays\.csv is a PDF document"),
        (TRACKS, zipped("xl/workbook.xml"), r"plays\.csv is an Excel workbook"),
        (TRACKS, zipped("a.csv", "b.csv"), r"is a zip archive of 2 files \(a\.csv, b\.csv\)"),
        (TRACKS, b"\n<!DOCTYPE html><p>", r"plays\.csv is an HTML page"),
        (TRACKS, b'[{"track_id": 1},', r"plays\.csv is damaged JSON"),
        (
            TRACKS,
            b"track_id,user_id,playcount\nT1,1.5E+16,1\n",
            r"column `user_id` holds ids in scientific notation \(1\.5E\+16\)",
        ),
        (b"track_id,name,name\nT1,N,M\n", PLAYS, r"tracks\.csv has two columns `name`"),
        (TRACKS, b"track_id,user_id,playcount\nT2,u,1\n", r"no play in plays\.csv is of a track"),
        (
            TRACKS,
            PLAYS + b"T2,u,1\nT3,u,1\n",
            r"unknown_tracks failed: 0\.6667, expected at most 0\.05 of play records; "
            r"stops above 0\.5 .*track T2 \(1\).*; fix the input or raise `ingest\.unknown_stop`",
        ),
        (
            TRACKS,
            PLAYS + b"T1,u,x\n" * 30,
            r"plays\.csv: \d+ of 31 records cannot be used.*count_not_a_number.*in record 3",
        ),
        (TRACKS, b"track_id,user_id,playcount\n,,\n", r"1 of 1 records cannot be used"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_in_one_sentence(
    tmp_path: Path, tracks: bytes | None, plays: bytes | None, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        ingest(tmp_path, tracks, plays)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_folder_gives_the_data_files_in_it(tmp_path: Path) -> None:
    for name in ("plays/day=1/a.csv", "plays/day=2/b.csv", "plays/_SUCCESS", "plays/.a.csv.crc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n1\n")
    found = find_files([str(tmp_path / "plays")], "plays.path")
    assert [(file.name, dict(file.partitions)["day"]) for file in found] == [
        ("a.csv", "1"),
        ("b.csv", "2"),
    ]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"none is a folder without data files; check `plays\.p"):
        find_files([str(tmp_path / "none")], "plays.path")


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plays.csv")
    with pytest.raises(InputError, match=r"plays\.csv is a named pipe, not a regular file"):
        find_files([str(tmp_path / "plays.csv")], "plays.path")


def test_inflated_data_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "plays.csv").write_bytes(gzip.compress(PLAYS + b"T1,u,1\n" * 300_000))
    (tmp_path / "tracks.csv").write_bytes(TRACKS)
    spec = DatasetSpec.kaggle(tmp_path / "tracks.csv", tmp_path / "plays.csv")
    with pytest.raises(InputError, match=r"holds more than 0\.001 GB of plain data; raise"):
        ingest_stage(tmp_path / "lake", spec, IngestLimits(inflated_gigabytes=0.001))


def test_the_same_history_twice_is_refused(tmp_path: Path) -> None:
    for name, content in (("a.csv", PLAYS), ("b.csv", PLAYS), ("tracks.txt", TRACKS)):
        (tmp_path / name).write_bytes(content)
    spec = DatasetSpec.kaggle(tmp_path / "tracks.txt", tmp_path / "*.csv")
    with pytest.raises(InputError, match=r"a\.csv and b\.csv have the same content.*`--plays`"):
        ingest_stage(tmp_path / "lake", spec)


def test_an_empty_parquet_file_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"track_id": pa.array([], pa.string())}), tmp_path / "empty.csv")
    with pytest.raises(InputError, match=r"tracks\.csv has no rows"):
        ingest(tmp_path, tracks=(tmp_path / "empty.csv").read_bytes())


def test_one_file_cannot_be_both(tmp_path: Path) -> None:
    (tmp_path / "plays.csv").write_bytes(PLAYS)
    (tmp_path / "link.csv").symlink_to("plays.csv")
    spec = DatasetSpec.kaggle(tmp_path / "plays.csv", tmp_path / "link.csv")
    with pytest.raises(InputError, match=r"given both in `--tracks` and in `--plays`"):
        ingest_stage(tmp_path / "lake", spec)


def test_a_toml_is_named_by_its_fields(tmp_path: Path) -> None:
    for name, content in (("tracks", TRACKS), ("plays", PLAYS)):
        (tmp_path / f"{name}.csv").write_bytes(content)
    toml = tmp_path / "it.toml"

    def said(tracks: str, plays: str, user: str = "user_id") -> str:
        toml.write_text(
            f'[tracks]\npath = "{tracks}.csv"\nid = "track_id"\n'
            f'[plays]\npath = "{plays}.csv"\nuser = "{user}"\ntrack = "track_id"\n'
        )
        with pytest.raises(InputError) as caught:
            ingest_stage(tmp_path / "lake", DatasetSpec.from_toml(toml))
        return str(caught.value)

    assert "check `plays.path`" in said("tracks", "nowhere")
    assert "swap `tracks.path` and `plays.path`" in said("plays", "tracks")
    assert "`plays.user` names column `User`; the file has" in said("tracks", "plays", "User")
    assert said("tracks", "plays", "User").endswith("; name `user_id`")


def test_globs_and_lists_find_each_file_once(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c [1].csv"):
        (tmp_path / name).write_text("x\n1\n")
    (tmp_path / "d.csv").mkdir()
    paths = [str(tmp_path / "b.csv"), str(tmp_path / "*.csv"), str(tmp_path / "c [1].csv")]
    (found,) = tell_apart(find_files(paths, "plays.path"))
    assert [file.name for file in found] == ["a.csv", "b.csv", "c [1].csv"]
    with pytest.raises(InputError, match=r"no file matches .*\*\.tsv \(`plays\.path`\)"):
        find_files([str(tmp_path / "*.tsv")], "plays.path")


def test_files_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    for day, content in (("mon", PLAYS), ("tue", PLAYS + b"T1,v,1\n"), ("info", TRACKS)):
        (tmp_path / day).mkdir()
        (tmp_path / day / "data.csv").write_bytes(content)
    spec = DatasetSpec.kaggle(tmp_path / "info" / "data.csv", tmp_path / "[mt]*" / "data.csv")
    read = ingest_stage(tmp_path / "lake", spec)
    digests = read.inputs
    assert list(digests) == [str(tmp_path / day / "data.csv") for day in ("info", "mon", "tue")]
    assert len(set(digests.values())) == 3
    assert read.counts["plays_rows"] == 2


@pytest.mark.parametrize("name", ["plays.csv.gz", "plays.jsonl.zst"])
def test_the_name_of_a_file_says_nothing_of_its_compression(tmp_path: Path, name: str) -> None:
    rows = PLAYS if "csv" in name else b'{"track_id": "T1", "user_id": "u", "playcount": 1}\n' * 2
    (tmp_path / name).write_bytes(rows)
    (tmp_path / "tracks.csv").write_bytes(TRACKS)
    spec = DatasetSpec.kaggle(tmp_path / "tracks.csv", tmp_path / name)
    assert ingest_stage(tmp_path / "lake", spec).counts["plays_rows"] == 1


@pytest.mark.parametrize("name", ["tracks.csv", "plays.csv"])
def test_a_link_that_leads_back_to_itself_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "tracks.csv").write_bytes(TRACKS)
    (tmp_path / "plays.csv").write_bytes(PLAYS)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to(tmp_path / name)
    (tmp_path / "dataset.toml").write_text(
        '[tracks]\npath = "tracks.csv"\nid = "track_id"\n'
        '[plays]\npath = "plays.csv"\nuser = "user_id"\ntrack = "track_id"\n'
    )
    with pytest.raises(InputError, match=rf"{name} is a symbolic link that leads back to itself"):
        ingest_stage(tmp_path / "lake", DatasetSpec.from_toml(tmp_path / "dataset.toml"))


def test_a_path_that_is_too_long_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no path \(File name too long\); give a real one"):
        DatasetSpec.kaggle(tmp_path / ("x" * 20_000), tmp_path / "plays.csv")
    (tmp_path / "dataset.toml").write_text(
        f'[tracks]\npath = "{"x" * 20_000}"\nid = "track_id"\n'
        '[plays]\npath = "plays.csv"\nuser = "user_id"\ntrack = "track_id"\n'
    )
    with pytest.raises(InputError, match=r"is no path \(File name too long\); give a real one"):
        DatasetSpec.from_toml(tmp_path / "dataset.toml")


@pytest.mark.parametrize("kind", [pa.binary(), pa.string()])
def test_parquet_bytes_that_are_no_text_are_named(tmp_path: Path, kind: pa.DataType) -> None:
    latin = pa.array([b"caf\xe9"]).cast(kind, safe=False)
    tracks = parquet(track_id=["T1"], name=latin)
    with pytest.raises(InputError, match=r"the column `name` of .* holds bytes that are no UTF-8"):
        ingest(tmp_path, tracks)


def test_a_folder_of_everything_is_refused_at_once(tmp_path: Path) -> None:
    spec = DatasetSpec.kaggle(Path("/"), tmp_path / "plays.csv")
    (tmp_path / "plays.csv").write_bytes(PLAYS)
    with pytest.raises(InputError, match=r"^/ holds more than 50,000 files and folders"):
        ingest_stage(tmp_path / "lake", spec)


@pytest.mark.parametrize("tags", [{"a": 1}, [["rock"]]])
def test_parquet_tags_that_are_no_list_of_texts_are_named(tmp_path: Path, tags: object) -> None:
    tracks = parquet(track_id=["T1"], name=["N"], tags=[tags])
    with pytest.raises(InputError, match=r"column `tags` holds .*; write text or numbers"):
        ingest(tmp_path, tracks)
