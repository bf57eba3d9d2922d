"""Damaged histories: every good row arrives, every bad one is set aside with its reason."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.limits import IngestLimits
from tasks.ingest.reasons import REASONS
from tasks.ingest.stage import ingest_stage
from tasks.lake.record import StageResult
from tests.tasks.ingest.damage import DAMAGES, Truth, damaged_history, write_catalogue

EVERYTHING = IngestLimits(reject_share=1.0)


def ingest(folder: Path, content: bytes, tracks: int, limits: IngestLimits) -> StageResult:
    write_catalogue(folder / "tracks.csv", tracks)
    (folder / "plays.csv").write_bytes(content)
    spec = DatasetSpec.kaggle(folder / "tracks.csv", folder / "plays.csv")
    return ingest_stage(folder / "lake", spec, limits)


def plays_of(result: StageResult) -> Counter[tuple[str, str]]:
    """Translate the interactions back into ids."""
    users = result["users"].read()["user_id"].to_pylist()
    tracks = result["tracks"].read(["played_key", "track_id"]).to_pylist()
    played = {row["played_key"]: row["track_id"] for row in tracks}
    return Counter(
        {
            (users[row["user_key"]], played[row["played_key"]]): row["plays"]
            for row in result["interactions"].read().to_pylist()
        }
    )


def rejected_of(result: StageResult) -> list[tuple[int, str, str]]:
    table = result["rejected_rows"].read()
    assert set(table["file"].to_pylist()) <= {"plays.csv"}
    return [(row["record"], row["reason"], row["raw"]) for row in table.to_pylist()]


def assert_all_there(result: StageResult, truth: Truth) -> None:
    assert rejected_of(result) == truth.rejected
    assert plays_of(result) == truth.plays
    counts = result.counts
    assert counts["play_records"] == truth.records
    assert counts["plays_rows"] == len(truth.plays)
    assert counts["merged_duplicates"] == truth.good - len(truth.plays)
    assert counts["plays"] == truth.plays.total()


def test_a_thousand_damages_of_every_kind(tmp_path: Path) -> None:
    truth = damaged_history(seed=1, rows=20_000, damages=1_000, tracks=300, users=900)
    result = ingest(tmp_path, truth.content, 300, IngestLimits())
    assert_all_there(result, truth)
    assert result.counts["rejected_rows"] == 1_000
    found = {reason for _, reason, _ in rejected_of(result)}
    assert found == {damage(("T1", "U1", 1))[1] for damage in DAMAGES.values()}
    assert found == set(REASONS) - {
        "track_id_repeated",
        "id_too_long",
        "not_json",
        "strength_missing",
        "strength_not_a_number",
        "at_not_a_time",
        "at_too_early",
        "at_in_the_future",
    }


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 60),
    damages=st.integers(0, 40),
    harmless=st.sampled_from([0.0, 0.3]),
    crlf=st.sampled_from([0.0, 0.2, 1.0]),
)
def test_damage_costs_the_damaged_records_and_no_others(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    rows: int,
    damages: int,
    harmless: float,
    crlf: float,
) -> None:
    truth = damaged_history(seed, rows, damages, 9, 12, harmless=harmless, crlf=crlf)
    result = ingest(tmp_path_factory.mktemp("damage"), truth.content, 9, EVERYTHING)
    assert_all_there(result, truth)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kinds=st.sets(
        st.sampled_from(
            [
                "a word for a number",
                "negative",
                "huge",
                "no count",
                "blank track",
                "no user",
                "header again",
            ]
        ),
        min_size=1,
    ),
    crlf=st.sampled_from([0.0, 1.0]),
)
def test_values_of_a_plain_file_are_judged_where_they_stand(
    tmp_path_factory: pytest.TempPathFactory, seed: int, kinds: set[str], crlf: float
) -> None:
    chosen = {kind: DAMAGES[kind] for kind in kinds}
    truth = damaged_history(seed, 50, 12, 9, 12, kinds=chosen, harmless=0, crlf=crlf)
    result = ingest(tmp_path_factory.mktemp("plain"), truth.content, 9, EVERYTHING)
    assert_all_there(result, truth)
