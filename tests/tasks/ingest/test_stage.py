"""The ingest stage as a whole: same data, same bytes, however it comes."""

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.dataset.spec import DatasetSpec, PlaysSpec, TracksSpec
from tasks.ingest.limits import IngestLimits
from tasks.ingest.stage import ingest_stage
from tasks.lake.contracts.quality import DATA_QUALITY, REJECTED_ROWS
from tasks.lake.contracts.stages.ingest import INTERACTIONS, USERS
from tasks.lake.record import StageResult
from tests.tasks.ingest.damage import damaged_history, write_catalogue

TABLES = ("tracks", "users", "interactions", "rejected_rows", "data_quality")


def history(rows: int, seed: int = 3) -> list[tuple[str, str, int]]:
    """Plays of tracks T0 to T39 (and T40 to T43, which the catalogue lacks) by listeners."""
    chance = np.random.default_rng(seed)
    tracks, users = chance.integers(0, 44, rows), chance.integers(0, 60, rows)
    plays = chance.integers(1, 9, rows)
    return [
        (f"T{t}", f"U{u}", int(n)) for t, u, n in zip(tracks, users, plays, strict=True) if t < 42
    ]


def as_csv(rows: list[tuple[str, str, int]], delimiter: str = ",", end: str = "\n") -> bytes:
    lines = [("track_id", "user_id", "playcount"), *rows]
    return "".join(delimiter.join(map(str, line)) + end for line in lines).encode()


def spec_for(folder: Path, *plays: str) -> DatasetSpec:
    write_catalogue(folder / "tracks.csv", 40)
    spec = DatasetSpec.kaggle(folder / "tracks.csv", folder / "plays.csv")
    paths = tuple(str(folder / one) for one in plays)
    return spec.model_copy(update={"plays": spec.plays.model_copy(update={"path": paths})})


def digests(result: StageResult, *names: str) -> dict[str, str]:
    return {name: result[name].digest for name in names or TABLES}


@pytest.fixture
def whole(tmp_path: Path) -> StageResult:
    """The result of one plain file that holds all."""
    (tmp_path / "whole.csv").write_bytes(as_csv(history(3_000)))
    return ingest_stage(tmp_path / "lake-whole", spec_for(tmp_path, "whole.csv"))


def test_the_tables_are_as_declared(whole: StageResult) -> None:
    for name, schema in (
        ("users", USERS.schema),
        ("interactions", INTERACTIONS.schema),
        ("rejected_rows", REJECTED_ROWS.schema),
        ("data_quality", DATA_QUALITY.schema),
    ):
        assert whole[name].read().schema.equals(schema), name


def test_interactions_are_what_duckdb_says_of_the_file(tmp_path: Path, whole: StageResult) -> None:
    plays = tmp_path / "whole.csv"
    expected = duckdb.execute(
        f"""
        WITH known AS (FROM read_csv('{plays}') WHERE substr(track_id, 2)::INT < 40),
        pairs AS (SELECT user_id, track_id, sum(playcount) AS plays FROM known GROUP BY ALL)
        SELECT (dense_rank() OVER (ORDER BY user_id) - 1)::INT AS user_key,
               (dense_rank() OVER (ORDER BY track_id) - 1)::INT AS played_key,
               plays::INT AS plays
        FROM pairs ORDER BY ALL
        """
    ).fetchall()
    found = whole["interactions"].read().to_pydict()
    assert list(zip(*found.values(), strict=True)) == expected
    assert whole.counts["unknown_tracks"] == 2
    assert whole.counts["merged_duplicates"] != 0


def test_totals_of_tracks_and_users(whole: StageResult) -> None:
    pairs = whole["interactions"].read().to_pandas()
    users = whole["users"].read().to_pandas()
    tracks = whole["tracks"].read().to_pandas().dropna(subset=["played_key"])
    by_user, by_track = pairs.groupby("user_key").plays, pairs.groupby("played_key").plays
    assert users.tracks_played.tolist() == by_user.count().tolist()
    assert users.plays.tolist() == by_user.sum().tolist()
    assert tracks.listeners.tolist() == by_track.count().tolist()
    assert tracks.plays.tolist() == by_track.sum().tolist()
    assert tracks.played_key.tolist() == list(range(len(tracks)))


def write_parts(folder: Path, rows: list[tuple[str, str, int]], cuts: list[int]) -> list[str]:
    names = []
    for number, (start, stop) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True)):
        names.append(f"day-{number}.csv")
        (folder / names[-1]).write_bytes(as_csv(rows[start:stop]))
    return names


@settings(max_examples=6, deadline=None)
@given(
    order=st.permutations(range(4)),
    cuts=st.lists(st.integers(1, 2_800), min_size=3, max_size=3, unique=True),
    shuffled=st.integers(0, 9),
)
def test_several_files_in_any_order_give_the_bytes_of_one(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], cuts: list[int], shuffled: int
) -> None:
    folder = tmp_path_factory.mktemp("days")
    rows = history(3_000)
    (folder / "whole.csv").write_bytes(as_csv(rows))
    expected = ingest_stage(folder / "lake", spec_for(folder, "whole.csv"))
    mixed = [rows[at] for at in np.random.default_rng(shuffled).permutation(len(rows))]
    names = write_parts(folder, mixed, sorted(cuts))
    found = ingest_stage(folder / "lake", spec_for(folder, *[names[at] for at in order]))
    assert not found.reused
    assert digests(found) == digests(expected)
    again = ingest_stage(folder / "lake", spec_for(folder, "day-*.csv"))
    assert again.reused


def gz(content: bytes) -> bytes:
    return gzip.compress(content)


def zstd(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content))


def parquet(_: bytes) -> bytes:
    rows = history(3_000)
    sink = pa.BufferOutputStream()
    columns = zip(*rows, strict=True)
    pq.write_table(
        pa.table(dict(zip(("track_id", "user_id", "playcount"), columns, strict=True))), sink
    )
    return bytes(sink.getvalue())


def quoted(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa_csv.WriteOptions(quoting_style="all_valid")
    table = pa_csv.read_csv(pa.BufferReader(content))
    pa_csv.write_csv(table.select(["playcount", "track_id", "user_id"]), sink, options)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    "change",
    [
        gz,
        zstd,
        parquet,
        quoted,
        lambda content: content.replace(b",", b"\t"),
        lambda content: content.replace(b",", b";"),
        lambda content: content.replace(b",", b"|"),
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: content.replace(b"\n", b"\r"),
        lambda content: b"\xef\xbb\xbf" + content,
        lambda content: b"\n" + content + b"\n\n",
        lambda content: content.removesuffix(b"\n"),
        lambda content: content.replace(b"\n", b"\r\n", 7),
        lambda content: content.replace(b"\n", b",note\n", 1).replace(b"\n", b',"a ""b""\n\nc"\n')
        .replace(b",note,\"a \"\"b\"\"\n\nc\"\n", b",note\n", 1),
    ],
)  # fmt: skip
def test_the_same_history_in_another_form_gives_the_same_bytes(
    tmp_path: Path, whole: StageResult, change: Callable[[bytes], bytes]
) -> None:
    content = change((tmp_path / "whole.csv").read_bytes())
    (tmp_path / "other").write_bytes(content)
    other = ingest_stage(tmp_path / "lake", spec_for(tmp_path, "other"))
    assert digests(other) == digests(whole)


def test_files_of_different_form_mix(tmp_path: Path, whole: StageResult) -> None:
    rows = history(3_000)
    (tmp_path / "a").write_bytes(as_csv(rows[:500]))
    (tmp_path / "b").write_bytes(gz(as_csv(rows[500:900], delimiter=";")))
    (tmp_path / "c").write_bytes(quoted(as_csv(rows[900:1300])))
    swapped = pa_csv.read_csv(pa.BufferReader(as_csv(rows[1300:])))
    pq.write_table(swapped.select(["user_id", "playcount", "track_id"]), tmp_path / "d")
    mixed = ingest_stage(tmp_path / "lake", spec_for(tmp_path, "a", "b", "c", "d"))
    assert digests(mixed) == digests(whole)


def test_bad_parquet_rows_are_set_aside_by_row(tmp_path: Path) -> None:
    table = pa.table(
        {
            "track_id": ["T1", None, "T2", "T3"],
            "user_id": pa.array([1.0, 2.0, None, 17.0]),
            "playcount": [1.0, 2.0, 3.0, -0.5],
        }
    )
    pq.write_table(table, tmp_path / "plays.parquet")
    result = ingest_stage(tmp_path / "lake", spec_for(tmp_path, "plays.parquet"))
    rows = result["rejected_rows"].read().to_pylist()
    assert [(row["record"], row["reason"], row["raw"]) for row in rows] == [
        (2, "track_id_missing", ",2,2"),
        (3, "user_id_missing", "T2,,3"),
        (4, "count_not_positive", "T3,17,-0.5"),
    ]
    assert result["users"].read()["user_id"].to_pylist() == ["1"]


def test_without_a_count_every_row_is_one_play(tmp_path: Path) -> None:
    write_catalogue(tmp_path / "tracks.csv", 3)
    (tmp_path / "views.csv").write_text("who,what\na,T1\na,T1\nb,T2\na,T1\n,T1\n")
    spec = DatasetSpec(
        name="views",
        tracks=TracksSpec(path=(str(tmp_path / "tracks.csv"),), id="track_id"),
        plays=PlaysSpec(path=(str(tmp_path / "views.csv"),), user="who", track="what"),
    )
    result = ingest_stage(tmp_path / "lake", spec)
    assert result["interactions"].read().to_pydict() == {
        "user_key": [0, 1],
        "played_key": [0, 1],
        "plays": [3, 1],
    }
    assert result["rejected_rows"].read()["raw"].to_pylist() == [",T1"]
    quality = {row["check_name"]: row for row in result["data_quality"].read().to_pylist()}
    assert quality["duplicate_plays"]["status"] == "skipped"


def test_a_sum_of_plays_stays_within_its_type(tmp_path: Path) -> None:
    rows = [("T1", "U1", 1_000_000)] * 2_200
    (tmp_path / "plays.csv").write_bytes(as_csv(rows))
    result = ingest_stage(tmp_path / "lake", spec_for(tmp_path, "plays.csv"))
    assert result["interactions"].read()["plays"].to_pylist() == [2**31 - 1]


def test_a_changed_catalogue_leaves_the_interactions_alone(
    tmp_path: Path, whole: StageResult
) -> None:
    spec = spec_for(tmp_path, "whole.csv")
    more = (tmp_path / "tracks.csv").read_text().replace("Name 7\n", "Renamed\n") + "A0,unplayed\n"
    (tmp_path / "tracks.csv").write_text(more)
    changed = ingest_stage(tmp_path / "lake", spec)
    assert changed["tracks"].digest != whole["tracks"].digest
    assert digests(changed, "users", "interactions") == digests(whole, "users", "interactions")
    unplayed = [int(result.counts["unplayed_tracks"]) for result in (whole, changed)]
    assert unplayed[1] == unplayed[0] + 1


def test_the_same_bytes_are_not_read_twice_wherever_they_lie(
    tmp_path: Path, whole: StageResult
) -> None:
    lake = tmp_path / "lake-whole"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "whole.csv").write_bytes((tmp_path / "whole.csv").read_bytes())
    os.utime(tmp_path / "whole.csv", (1, 1))
    assert ingest_stage(lake, spec_for(tmp_path, "whole.csv")).reused
    assert ingest_stage(lake, spec_for(elsewhere, "whole.csv")).reused
    drift = IngestLimits.model_validate({"drift": {"distribution": 0.5}})
    assert ingest_stage(lake, spec_for(tmp_path, "whole.csv"), drift).reused
    strict = IngestLimits(max_plays=5, reject_share=1)
    assert not ingest_stage(lake, spec_for(tmp_path, "whole.csv"), strict).reused
    assert not (tmp_path / "lake-whole" / "ingest" / whole.key / "parts").exists()


def test_a_damaged_table_is_noticed_and_made_again(tmp_path: Path, whole: StageResult) -> None:
    lake = tmp_path / "lake-whole"
    expected = digests(whole)
    with whole["interactions"].path.open("r+b") as file:
        file.seek(100)
        file.write(b"\0\1\2")
    for _ in range(2):
        again = ingest_stage(lake, spec_for(tmp_path, "whole.csv"))
        assert not again.reused
        assert digests(again) == expected
        whole["users"].path.unlink()


def test_fingerprints_are_of_the_content(tmp_path: Path) -> None:
    spec = spec_for(tmp_path, "a.csv", "b.csv")
    texts = {name: as_csv(history(rows)) for name, rows in (("a.csv", 50), ("b.csv", 51))}
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    first = ingest_stage(tmp_path / "lake", spec).inputs
    assert sorted(first) == ["a.csv", "b.csv", "tracks.csv"]
    assert len(set(first.values())) == 3
    (tmp_path / "a.csv").write_bytes(texts["b.csv"])
    (tmp_path / "b.csv").write_bytes(as_csv(history(52)))
    second = ingest_stage(tmp_path / "lake", spec).inputs
    assert second["a.csv"] == first["b.csv"]
    assert second["b.csv"] not in first.values()
    assert second["tracks.csv"] == first["tracks.csv"]


@pytest.mark.parametrize(
    "moment",
    [
        "records-0.parquet",
        *(pytest.param(f"{name}.parquet", marks=pytest.mark.slow) for name in TABLES),
    ],
)
def test_a_killed_run_leaves_nothing_that_misleads_the_next(tmp_path: Path, moment: str) -> None:
    """Killed while the file of that name is there or being written."""
    truth = damaged_history(seed=8, rows=60_000, damages=600, tracks=40, users=2_000)
    (tmp_path / "plays.csv").write_bytes(truth.content)
    spec = spec_for(tmp_path, "plays.csv")
    expected = digests(ingest_stage(tmp_path / "lake-calm", spec))
    script = (
        "import sys; from pathlib import Path; from tasks.dataset.spec import DatasetSpec\n"
        "from tasks.ingest.stage import ingest_stage\n"
        "folder = Path(sys.argv[1])\n"
        "spec = DatasetSpec.kaggle(folder / 'tracks.csv', folder / 'plays.csv')\n"
        "ingest_stage(folder / 'lake', spec)\n"
    )
    run = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    while run.poll() is None and not list((tmp_path / "lake").glob(f"ingest/*/**/*{moment}*")):
        time.sleep(0.003)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert run.returncode == -signal.SIGKILL
    result = ingest_stage(tmp_path / "lake", spec)
    assert digests(result) == expected
    assert not (tmp_path / "lake" / "ingest" / result.key / "parts").exists()
