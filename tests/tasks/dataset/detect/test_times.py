"""The column of times: which one it is, how it is written, and what `--check` says of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.dataset.detect.check import check_spec
from tasks.dataset.detect.document import write_document
from tasks.dataset.detect.inputs import look_at
from tasks.dataset.detect.proposal import Proposal, propose
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage
from tests.tasks.dataset.detect.cases import PLAYS, plays_lines, put, tracks_lines

Say = Callable[[datetime], object]

FIRST = datetime(2019, 3, 1, 10, tzinfo=UTC)
MOMENTS = [FIRST + timedelta(hours=7 * number, seconds=number % 60) for number in range(800)]


def propose_with(folder: Path, say: Say, name: str = "timestamp", more: str = "") -> Proposal:
    """Look at a history with a column of times written by ``say``."""
    moments = iter(MOMENTS)
    rows = plays_lines(
        lambda u, t, n: (f"U{u}", f"T{t:03d}", n, f'"{say(next(moments))}"'),
        f"user_id,track_id,playcount,{name}{more}",
    )
    put(folder, "tracks.csv", tracks_lines())
    put(folder, "plays.csv", rows)
    return propose(look_at([str(folder / one) for one in ("plays.csv", "tracks.csv")]))


@pytest.mark.parametrize(
    ("say", "value"),
    [
        (lambda m: int(m.timestamp()), {"column": "timestamp", "unit": "s"}),
        (lambda m: int(m.timestamp() * 1e3), {"column": "timestamp", "unit": "ms"}),
        (lambda m: int(m.timestamp() * 1e6), {"column": "timestamp", "unit": "us"}),
        (lambda m: m.strftime("%Y-%m-%dT%H:%M:%SZ"), "timestamp"),
        (lambda m: m.strftime("%Y-%m-%d %H:%M:%S UTC"), "timestamp"),
        (lambda m: m.strftime("%Y-%m-%d %H:%M"), "timestamp"),
        (lambda m: m.strftime("%Y-%m-%d"), "timestamp"),
        (lambda m: m.strftime("%Y%m%d"), "timestamp"),
        (
            lambda m: m.strftime("%d %b %Y %H:%M"),
            {"column": "timestamp", "format": "%d %b %Y %H:%M"},
        ),
        (
            lambda m: m.strftime("%d %b %Y, %H:%M"),
            {"column": "timestamp", "format": "%d %b %Y, %H:%M"},
        ),
        (
            lambda m: m.strftime("%m/%d/%Y %H:%M:%S"),
            {"column": "timestamp", "format": "%m/%d/%Y %H:%M:%S"},
        ),
        (lambda m: m.strftime("%d/%m/%Y"), {"column": "timestamp", "format": "%d/%m/%Y"}),
    ],
)
def test_what_is_proposed_reads_every_time(say: Say, value: Any, tmp_path: Path) -> None:
    proposal = propose_with(tmp_path, say)
    decision = proposal.decision("plays.at")
    assert decision is not None
    assert (decision.value, decision.sureness is Sureness.GUESS) == (value, False)
    assert proposal.value("plays.count") == "playcount"
    toml = tmp_path / "d.toml"
    toml.write_text(write_document(proposal, tmp_path, "it"))
    spec = DatasetSpec.from_toml(toml)
    assert check_spec(spec).mistakes == ()
    result = ingest_stage(tmp_path / "lake", spec)
    assert (result.counts["untimed_plays"], result.counts["rejected_plays"]) == (0, 0)
    last = max(result["interactions"].read()["last_at"].to_pylist())
    assert abs(last - MOMENTS[-1].timestamp()) < 86_400
    assert last <= MOMENTS[-1].timestamp()


def test_days_that_may_be_months_are_a_guess(tmp_path: Path) -> None:
    proposal = propose_with(tmp_path, lambda m: f"{m.day % 12 + 1:02}/{m.month:02}/{m.year}")
    decision = proposal.decision("plays.at")
    assert decision is not None
    assert decision.sureness is Sureness.GUESS
    assert decision.value["format"] in ("%m/%d/%Y", "%d/%m/%Y")


def test_a_time_of_no_known_format_is_said_and_left_out(tmp_path: Path) -> None:
    proposal = propose_with(tmp_path, lambda m: m.strftime("%d-%b-%Y"))
    assert proposal.value("plays.at") is None


def test_the_play_is_taken_rather_than_an_update(tmp_path: Path) -> None:
    def both(moment: datetime) -> str:
        return f'{int(moment.timestamp())}","{moment:%Y-%m-%d}'

    proposal = propose_with(tmp_path, both, "updated_at,listened_at")
    assert proposal.value("plays.at") == "listened_at"
    inputs = look_at([str(tmp_path / one) for one in ("plays.csv", "tracks.csv")])
    other = propose(inputs, {"plays.at": "updated_at"})
    assert other.value("plays.at") == {"column": "updated_at", "unit": "s"}
    assert propose(inputs, {"plays.at": "none"}).value("plays.at") is None


def test_timestamps_of_parquet_are_taken_as_they_are(tmp_path: Path) -> None:
    put(tmp_path, "tracks.csv", tracks_lines())
    columns = {
        "user_id": [f"U{u}" for u, _, _ in PLAYS],
        "track_id": [f"T{t:03d}" for _, t, _ in PLAYS],
        "ts": pa.array(MOMENTS, pa.timestamp("ms", tz="UTC")),
    }
    pq.write_table(pa.table(columns), tmp_path / "plays.parquet")
    proposal = propose(look_at([str(one) for one in tmp_path.iterdir()]))
    assert proposal.value("plays.at") == "ts"


def test_a_file_without_a_header_has_its_time_named(tmp_path: Path) -> None:
    moments = iter(MOMENTS)
    rows = plays_lines(
        lambda u, t, n: (u + 1, t + 101, n % 5 + 1, int(next(moments).timestamp())), None, "\t"
    )
    put(tmp_path, "u.data", rows)
    proposal = propose(look_at([str(tmp_path / "u.data")]))
    assert proposal.value("plays.at") == {"column": "time", "unit": "s"}
    toml = tmp_path / "d.toml"
    toml.write_text(write_document(proposal, tmp_path, "it"))
    assert DatasetSpec.from_toml(toml).plays.at is not None


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ('"timestamp"', 'write at = { column = "timestamp", unit = "ms" }'),
        (
            '{ column = "timestamp", unit = "s" }',
            'write at = { column = "timestamp", unit = "ms" }',
        ),
        ('"playcount"', "which holds no times"),
    ],
)
def test_a_wrong_time_is_a_likely_mistake(at: str, said: str, tmp_path: Path) -> None:
    propose_with(tmp_path, lambda m: int(m.timestamp() * 1e3))
    (tmp_path / "d.toml").write_text(
        '[tracks]\npath = "tracks.csv"\nid = "track_id"\ntitle = "name"\ncreator = "artist"\n'
        'tags = { column = "tags" }\n[plays]\npath = "plays.csv"\nuser = "user_id"\n'
        f'track = "track_id"\nat = {at}\n'
    )
    mistakes = check_spec(DatasetSpec.from_toml(tmp_path / "d.toml")).mistakes
    assert any(said in one for one in mistakes)


@pytest.mark.parametrize(
    ("say", "value"),
    [
        (lambda i: f"{1990 + i % 30}-{i % 12 + 1:02}-{i % 28 + 1:02}", "release_date"),
        (lambda i: f"{['Jan', 'Feb', 'Oct'][i % 3]} {i % 28 + 1}, {1990 + i % 30}", "release_date"),
        (lambda i: f"{i % 12 + 1:02}/{i % 28 + 1:02}/{1990 + i % 30}", None),
    ],
)
def test_a_date_of_release_is_proposed_beside_the_year(
    say: Callable[[int], str], value: str | None, tmp_path: Path
) -> None:
    header, *rows = tracks_lines()
    lines = [f'{row},"{say(number)}"' for number, row in enumerate(rows)]
    put(tmp_path, "tracks.csv", [f"{header.replace('year', 'energy')},release_date", *lines])
    put(tmp_path, "plays.csv", plays_lines())
    proposal = propose(look_at([str(one) for one in sorted(tmp_path.iterdir())]))
    assert proposal.value("tracks.released") == value
    assert proposal.value("tracks.year") == "release_date"
