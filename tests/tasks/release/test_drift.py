"""Drift: a new ingest result against the release that readers see."""

import random
from pathlib import Path

import duckdb
import pytest

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.limits import DriftLimits, IngestLimits
from tasks.ingest.stage import ingest_stage
from tasks.lake.contracts.quality import DATA_QUALITY
from tasks.lake.record import StageResult
from tasks.release.drift import _compare_bins, drift_checks

RELEASE = """
CREATE TABLE release AS SELECT 'music' AS dataset;
CREATE TABLE tracks AS SELECT * FROM read_parquet('{tracks}');
CREATE TABLE users AS SELECT * FROM read_parquet('{users}');
CREATE TABLE listens AS SELECT * FROM read_parquet('{interactions}');
"""


def ingest(folder: Path, users: int, plays: int = 1) -> StageResult:
    """Ten tracks, of which each listener has played two."""
    tracks = "".join(f"T{n},{'Rock' if n % 2 else 'Jazz'},199{n}\n" for n in range(10))
    rows = "".join(
        f"T{track % 10},U{user},{plays}\n" for user in range(users) for track in (user, user + 1)
    )
    (folder / "tracks.csv").write_text("track_id,genre,year\n" + tracks)
    (folder / "plays.csv").write_text("track_id,user_id,playcount\n" + rows)
    spec = DatasetSpec.kaggle(folder / "tracks.csv", folder / "plays.csv")
    return ingest_stage(folder / "lake", spec)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release made of 100 listeners."""
    result = ingest(tmp_path, 100)
    path = tmp_path / "crossfade.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(RELEASE.format(**{name: one.path for name, one in result.datasets.items()}))
    return path


def statuses(
    result: StageResult, release: Path | None, dataset: str | None = "music"
) -> dict[str, str]:
    table = drift_checks(result, release, IngestLimits(), dataset)
    assert table.schema.equals(DATA_QUALITY.schema)
    assert set(table["severity"].to_pylist()) == {"warn"}
    return dict(zip(table["check_name"].to_pylist(), table["status"].to_pylist(), strict=True))


def test_the_same_data_has_not_drifted(tmp_path: Path, release: Path) -> None:
    found = statuses(ingest(tmp_path, 100), release)
    assert len(found) == 8
    assert set(found.values()) == {"passed"}


def test_row_counts_have_limits_on_both_sides(tmp_path: Path, release: Path) -> None:
    table = drift_checks(ingest(tmp_path, 79), release, IngestLimits())
    row = next(row for row in table.to_pylist() if row["check_name"] == "drift_users")
    assert row["status"] == "failed"
    assert row["observed"] == pytest.approx((79 - 100) / 100)
    assert row["details"] == "users: 100 → 79"
    assert statuses(ingest(tmp_path, 80), release)["drift_users"] == "passed"
    assert statuses(ingest(tmp_path, 200), release)["drift_listens"] == "passed"
    assert statuses(ingest(tmp_path, 201), release)["drift_listens"] == "failed"
    assert statuses(ingest(tmp_path, 201), release)["drift_tracks"] == "passed"


def test_a_distribution_that_moves_is_seen(tmp_path: Path, release: Path) -> None:
    table = drift_checks(ingest(tmp_path, 100, plays=8), release, DriftLimits())
    rows = {row["check_name"]: row for row in table.to_pylist()}
    moved = rows["drift_plays_per_listen"]
    # Every pair went from the bin 1+ to the bin 8+: ½ (|0 − 1| + |1 − 0|)
    assert (moved["status"], moved["observed"]) == ("failed", (1 + 1) / 2)
    assert moved["details"] == "1+ 100.0% → 0.0%, 8+ 0.0% → 100.0%"
    assert rows["drift_tracks_per_listener"]["status"] == "passed"


def test_the_order_of_the_bins_does_not_matter() -> None:
    """A database counts groups in any order."""
    rng = random.Random(0)
    then, now = ([(name, rng.randrange(1, 999)) for name in "abcdefgh"] for _ in range(2))
    found = set()
    for _ in range(50):
        rng.shuffle(then)
        rng.shuffle(now)
        row = _compare_bins("x", "", lambda _: list(then), lambda _: list(now), DriftLimits())
        found.add((row["observed"], row["details"]))
    assert len(found) == 1


def test_what_cannot_be_compared_is_skipped(tmp_path: Path, release: Path) -> None:
    result = ingest(tmp_path, 100)
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"nonsense" * 1000)
    for other, dataset in (
        (None, "music"),
        (tmp_path / "none.duckdb", "music"),
        (broken, "music"),
        (release, "films"),
    ):
        assert set(statuses(result, other, dataset).values()) == {"skipped"}
    with duckdb.connect(str(release)) as con:
        con.execute("DROP TABLE users; DROP TABLE release; ALTER TABLE tracks DROP COLUMN genre")
    found = statuses(result, release, "films")
    skipped = {name for name, status in found.items() if status == "skipped"}
    assert skipped == {"drift_users", "drift_tracks_per_listener", "drift_genres"}
    assert set(found.values()) == {"skipped", "passed"}
