"""The catalogue: types, sentinels, normal forms, keys."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage
from tasks.lake.contracts.stages.ingest import tracks_schema
from tasks.lake.record import StageResult
from warehouse.errors import InputError

HEADER = "track_id,name,artist,tags,genre,year,loudness,tempo,danceability,key,time_signature"


def ingest(folder: Path, *rows: str, header: str = HEADER) -> StageResult:
    """Ingest a catalogue in the Kaggle schema; the first track has been played."""
    (folder / "tracks.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    first = rows[0].split(",")[0]
    (folder / "plays.csv").write_text(f"track_id,user_id,playcount\n{first},u,1\n")
    return ingest_stage(
        folder / "lake", DatasetSpec.kaggle(folder / "tracks.csv", folder / "plays.csv")
    )


def rows_of(result: StageResult) -> dict[str, dict[str, object]]:
    return {row["track_id"]: row for row in result["tracks"].read().to_pylist()}


def test_columns_have_the_declared_types(tmp_path: Path) -> None:
    result = ingest(tmp_path, "T1,N,A,rock,Rock,1999,-5.5,120,0.5,7,4")
    spec = DatasetSpec.kaggle(Path("a"), Path("b")).tracks
    assert result["tracks"].read().schema.equals(tracks_schema(spec.numeric, spec.categorical))
    row = rows_of(result)["T1"]
    assert (row["year"], row["loudness"], row["key"], row["genre"]) == (1999, -5.5, "7", "Rock")
    assert row["duration_ms"] is None  # the file has no such column


def test_placeholders_become_missing_in_columns_of_those_names(tmp_path: Path) -> None:
    header = HEADER + ",energy,mode"
    rows = rows_of(
        ingest(
            tmp_path,
            "T1,,,,,1900,-60,0,0.0,0,0,0,0",
            "T2,,,,,1901,-59.9,0.1,0.01,5.0,4,0,1",
            "T3,,,,,0,-61,,NaN,NA,4.0,,",
            "T4,,,,,2525,1.5,1e2,+.5,,1,,",
            header=header,
        )
    )
    names = ("year", "loudness", "tempo", "danceability", "key", "time_signature", "energy", "mode")
    assert [rows["T1"][name] for name in names] == [None, None, None, None, "0", None, 0.0, "0"]
    assert [rows["T2"][name] for name in names] == [1901, -59.9, 0.1, 0.01, "5", "4", 0.0, "1"]
    assert [rows["T3"][name] for name in names[:6]] == [None, None, None, None, None, "4"]
    assert [rows["T4"][name] for name in names[:4]] == [None, 1.5, 100.0, 0.5]


def test_names_and_tags_are_composed_and_ids_are_not(tmp_path: Path) -> None:
    loose, tight = "Cafe\u0301", "Caf\u00e9"
    result = ingest(
        tmp_path,
        f'007,{loose},{loose},"{loose}, rock ,, rock, {tight}",,,,,,,',
        f"{loose},112,{tight},,,,,,,,",
        f"{tight},NA,112,,,,,,,,",
        "7,null,None,,,,,,,,",
    )
    rows = rows_of(result)
    assert set(rows) == {"007", "7", loose, tight}
    assert rows["007"]["name"] == rows["007"]["artist"] == tight
    assert rows["007"]["tags"] == [tight, "rock"]
    assert rows["007"]["artist_key"] == rows[loose]["artist_key"]
    assert rows[loose]["tags"] is None
    assert (rows[loose]["name"], rows[tight]["artist"]) == ("112", "112")
    assert (rows[tight]["name"], rows["7"]["name"], rows["7"]["artist"]) == ("NA", "null", "None")


def test_keys_follow_the_bytes_of_ids_and_artists(tmp_path: Path) -> None:
    ids = ["b", "B", "é", "a1", "a10", "a2", "😀", "\uffee", "10", "9", " x"]
    artists = ["z", "Z", "é", "", "z", "a", "112", "😀", "", "é", "B"]
    rows = [f"{one},,{artist},,,,,,,," for one, artist in zip(ids, artists, strict=True)]
    table = ingest(tmp_path, *rows)["tracks"].read()
    in_order = sorted(ids, key=lambda one: one.encode())
    assert table["track_id"].to_pylist() == in_order
    assert table["track_key"].to_pylist() == list(range(len(ids)))
    distinct = sorted({artist for artist in artists if artist}, key=lambda one: one.encode())
    by_id = dict(zip(ids, artists, strict=True))
    expected = [distinct.index(by_id[one]) if by_id[one] else None for one in in_order]
    assert table["artist_key"].to_pylist() == expected


def test_bad_tracks_are_set_aside_with_their_reason(tmp_path: Path) -> None:
    good = [f"T{number},N,A,rock,Rock,1999,-5.5,120,0.5,7,4" for number in range(30)]
    bad = [
        ("T3,other,,,,,,,,,", "track_id_repeated"),
        (" ,N,A,rock,Rock,1999,-5.5,120,0.5,7,4", "track_id_missing"),
        ("null,N,A,rock,Rock,1999,-5.5,120,0.5,7,4", "track_id_missing"),
        ('X4,"N,A,rock,Rock,1999,-5.5,120,0.5,7,4', "open_quote"),
        ("X5,N,A,rock,Rock,1999,-5.5,120,0.5,7,4,9", "too_many_fields"),
        (HEADER, "repeated_header"),
    ]
    result = ingest(tmp_path, *good, *[row for row, _ in bad], 'T99,"N ""x"", y",A,"a,b",,,,,,,')
    rejected = result["rejected_rows"].read().to_pylist()
    assert [(row["record"], row["reason"], row["raw"]) for row in rejected] == [
        (32 + number, reason, raw) for number, (raw, reason) in enumerate(bad)
    ]
    assert result.counts["tracks"] == 31
    assert result.counts["track_records"] == 31 + len(bad)
    rows = rows_of(result)
    assert rows["T3"]["name"] == "N"  # the first is kept
    assert (rows["T99"]["name"], rows["T99"]["tags"]) == ('N "x", y', ["a", "b"])


def test_a_value_that_cannot_be_read_is_missing_and_counted(tmp_path: Path) -> None:
    result = ingest(
        tmp_path,
        "T1,N,A,rock,Rock,soon,-5.5,120,0.5,7,4",
        "T2,N,A,rock,Rock,1999-05-01,-5.5,12O,0.5,7,4",
        "T3,N,A,rock,Rock,19990501,inf,true,0.5",
    )
    rows = rows_of(result)
    assert [rows[one]["year"] for one in ("T1", "T2", "T3")] == [None, 1999, 1999]
    assert [rows[one]["tempo"] for one in ("T1", "T2", "T3")] == [120.0, None, 1.0]
    assert (rows["T3"]["loudness"], rows["T3"]["key"]) == (None, None)
    quality = {row["check_name"]: row for row in result["data_quality"].read().to_pylist()}
    found = quality["unreadable_values"]
    assert (found["status"], found["severity"], found["observed"]) == ("failed", "warn", 3.0)
    assert "loudness: 'inf' (1), tempo: '12O' (1), year: 'soon' (1)" in str(found["details"])


def test_a_long_title_is_cut_and_counted(tmp_path: Path) -> None:
    result = ingest(tmp_path, f"T1,{'x' * 200_000},A,,,,,,,,")
    assert rows_of(result)["T1"]["name"] == "x" * 1_000
    quality = {row["check_name"]: row for row in result["data_quality"].read().to_pylist()}
    assert quality["long_values"]["observed"] == 1.0


def test_rows_of_one_track_are_merged_where_declared(tmp_path: Path) -> None:
    (tmp_path / "tracks.csv").write_text(
        "id,name,by,genre,tempo\nT1,,A,Rock,\nT2,N2,B,Folk,90\nT1,N1,C,Jazz,120\nT1,N9,A,Rock,80\n"
    )
    (tmp_path / "plays.csv").write_text("u,t\nu1,T1\nu1,T2\n")
    (tmp_path / "it.toml").write_text(
        "[tracks]\npath = 'tracks.csv'\nid = 'id'\ntitle = 'name'\ncreator = 'by'\n"
        "genre = 'genre'\nnumeric = ['tempo']\nmerge = true\n"
        "[plays]\npath = 'plays.csv'\nuser = 'u'\ntrack = 't'\n"
    )
    result = ingest_stage(tmp_path / "lake", DatasetSpec.from_toml(tmp_path / "it.toml"))
    row = rows_of(result)["T1"]
    assert (row["name"], row["artist"], row["artists"]) == ("N1", "A", ["A", "C"])
    assert (row["genre"], row["tags"], row["tempo"]) == ("Rock", ["Rock", "Jazz"], 120.0)
    assert (result.counts["tracks"], result.counts["merged_rows"]) == (2, 2)


def test_a_name_may_run_over_lines(tmp_path: Path) -> None:
    result = ingest(tmp_path, 'T1,"one\r\ntwo",A,,,,,,,,', "T2,N,A,,,,,,,,")
    assert rows_of(result)["T1"]["name"] == "one\r\ntwo"
    assert result.counts["track_records"] == 2


def test_a_catalogue_of_nothing_but_ids(tmp_path: Path) -> None:
    result = ingest(tmp_path, "T1", "", "T2", header="track_id")
    assert result["tracks"].read()["track_id"].to_pylist() == ["T1", "T2"]
    assert result.counts["track_records"] == 2
    assert result["tracks"].read()["tags"].null_count == 2


def test_parquet_gives_the_same_tracks_as_csv(tmp_path: Path) -> None:
    spec = DatasetSpec.kaggle(tmp_path / "tracks", tmp_path / "plays.csv")
    (tmp_path / "plays.csv").write_text("track_id,user_id,playcount\n2,u,1\n")
    (tmp_path / "tracks").write_text(
        'track_id,name,tags,year,tempo,key\n2,B,"x, y",1999,120.5,5\n10,,,,0,\n'
    )
    from_csv = ingest_stage(tmp_path / "lake", spec)
    table = pa.table(
        {
            "track_id": pa.array([2, 10], pa.int64()),
            "name": ["B", None],
            "tags": [["x", "y"], None],
            "year": pa.array([1999, None], pa.int32()),
            "tempo": [120.5, 0.0],
            "key": [5.0, None],
        }
    )
    pq.write_table(table, tmp_path / "tracks")
    from_parquet = ingest_stage(tmp_path / "lake", spec)
    assert from_parquet["tracks"].read().equals(from_csv["tracks"].read())
    assert from_parquet["tracks"].digest == from_csv["tracks"].digest


def test_a_catalogue_of_rejects_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"30 of 31 records cannot be used.*track_id_missing"):
        ingest(tmp_path, "T1" + "," * 10, *["," * 10] * 30)
