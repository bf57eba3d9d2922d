"""The sample with times: the same plays, when they were, and how far that follows their time."""

import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage
from tasks.sample import SampleParameters, SampleSummary, generate_sample
from tasks.sample.catalogue import build_catalogue
from tasks.sample.history import write_history
from tasks.sample.listening import gather_audience
from tasks.sample.music_info import make_track_ids
from tasks.sample.timeline import DAYS, NEW_TRACKS, START, draw_timeline

END = START + np.timedelta64(DAYS, "D")
RECENCIES = (0.0, 0.5, 1.0)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[float | None, SampleSummary]:
    return {
        recency: generate_sample(
            tmp_path_factory.mktemp("sample"), SampleParameters(recency=recency)
        )
        for recency in (None, *RECENCIES)
    }


def history(sample: SampleSummary) -> pd.DataFrame:
    rows = pd.read_csv(sample.plays_path)
    if "played_at" in rows:
        rows["played_at"] = pd.to_datetime(rows["played_at"]).dt.tz_localize(None)
    return rows


def tracks(sample: SampleSummary) -> pd.DataFrame:
    return pd.read_csv(sample.tracks_path, dtype={"released": str})


def test_it_has_the_plays_of_the_sample_without_times(
    samples: dict[float | None, SampleSummary],
) -> None:
    names = ["user_id", "track_id"]
    expected = history(samples[None]).set_index(names)["playcount"].sort_index()
    for recency in RECENCIES:
        rows = history(samples[recency])
        assert list(rows) == ["track_id", "user_id", "playcount", "played_at"]
        found = rows.groupby(names)["playcount"].sum()
        pd.testing.assert_series_equal(found, expected)
        assert len(rows) == samples[recency].plays > 1.3 * len(expected)
        assert samples[recency].unplayed_tracks == samples[None].unplayed_tracks


def test_without_the_option_nothing_tells_of_times(
    samples: dict[float | None, SampleSummary],
) -> None:
    names = {path.name for path in samples[None].plays_path.parent.iterdir()}
    assert names == {".crossfade-sample.json", "Music Info.csv", "User Listening History.csv"}
    assert samples[None].dataset_path is None
    assert "released" not in tracks(samples[None])


def test_equal_parameters_give_equal_bytes_whatever_the_threads(
    samples: dict[float | None, SampleSummary], tmp_path: Path
) -> None:
    again = generate_sample(tmp_path, SampleParameters(recency=0.5))
    for name in ("tracks_path", "plays_path", "dataset_path"):
        assert getattr(again, name).read_bytes() == getattr(samples[0.5], name).read_bytes()
    catalogue = build_catalogue(400, seed=5)
    audience = gather_audience(catalogue, 20_000, seed=5)
    for threads in (1, 4):
        timeline = draw_timeline(400, 0.5, seed=5)
        write_history(tmp_path / str(threads), audience, make_track_ids(400, 5), threads, timeline)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "4").read_bytes()


@pytest.mark.parametrize("recency", RECENCIES)
def test_plays_are_within_the_days_and_never_before_a_release(
    recency: float, samples: dict[float | None, SampleSummary]
) -> None:
    rows = history(samples[recency])
    assert rows["played_at"].between(START, END, inclusive="left").all()
    catalogue = tracks(samples[recency])
    day = pd.to_datetime(catalogue["released"].str.pad(10, "right", "x").replace(
        {r"^(\d{4})x+$": r"\1-01-01", r"^(\d{4}-\d{2})x+$": r"\1-01"}, regex=True
    ))  # fmt: skip
    catalogue["day"] = day
    joined = rows.merge(catalogue[["track_id", "day"]], validate="m:1")
    assert (joined["played_at"] >= joined["day"]).loc[joined["day"].notna()].all()
    assert (day.dt.year == catalogue["year"]).loc[day.notna()].all()
    fresh = (day >= START).mean()
    assert fresh == pytest.approx(NEW_TRACKS * recency, abs=0.02)
    assert day.loc[day < START].dt.year.nunique() > 20
    lengths = catalogue["released"].str.len().value_counts(normalize=True)
    assert lengths[4] == pytest.approx(0.2 * (1 - fresh), abs=0.03)


def test_sessions_weeks_and_repeats_are_as_documented(
    samples: dict[float | None, SampleSummary],
) -> None:
    rows = history(samples[1.0])
    per_day = rows["played_at"].dt.day_name().value_counts(normalize=True)
    assert per_day["Saturday"] > 1.2 * per_day["Tuesday"]
    hours = rows["played_at"].dt.hour.value_counts(normalize=True)
    assert hours[18] > 3 * hours[6]
    rows = rows.sort_values(["user_id", "played_at"])
    gaps = rows.groupby("user_id")["played_at"].diff().dt.total_seconds().dropna()
    assert (gaps < 1800).mean() > 0.2
    counts = rows.groupby(["user_id", "track_id"])["playcount"].agg(["sum", "size"])
    assert (counts["size"] == 1 + np.floor(np.log2(counts["sum"]))).all()


def closeness(sample: SampleSummary) -> float:
    """Return how close in time a listener's plays of one artist are, as a share of any two."""
    rows = history(sample).sort_values("played_at").drop_duplicates(["user_id", "track_id"])
    rows = rows.merge(tracks(sample)[["track_id", "artist"]], validate="m:1")
    same, any_two = [], []
    for _, own in rows.groupby("user_id"):
        if len(own) < 20:
            continue
        second = own["played_at"].to_numpy().astype("datetime64[s]").astype(np.int64)
        apart = np.abs(second[:, None] - second)
        artist = own["artist"].to_numpy()
        equal = (artist[:, None] == artist) & ~np.eye(len(own), dtype=bool)
        if equal.any():
            same.append(apart[equal].mean())
            any_two.append(apart[~np.eye(len(own), dtype=bool)].mean())
    return float(np.sum(same) / np.sum(any_two))


def test_recency_sets_how_far_plays_follow_their_time(
    samples: dict[float | None, SampleSummary],
) -> None:
    found = [closeness(samples[recency]) for recency in RECENCIES]
    assert found[0] == pytest.approx(1.0, abs=0.03)
    assert all(later < earlier - 0.05 for earlier, later in pairwise(found))


def test_the_dataset_toml_reads_all_of_it(
    samples: dict[float | None, SampleSummary], tmp_path: Path
) -> None:
    sample = samples[1.0]
    assert sample.dataset_path is not None
    spec = DatasetSpec.from_toml(sample.dataset_path)
    result = ingest_stage(tmp_path, spec)
    assert result.counts["play_records"] == sample.plays
    assert result.counts["rejected_rows"] == result.counts["untimed_plays"] == 0
    rows = history(sample)
    first = rows.groupby(["user_id", "track_id"])["played_at"].min().astype("datetime64[s]")
    pairs = result["interactions"].read().to_pandas()
    assert sorted(pairs["first_at"]) == sorted(first.astype(np.int64))
    assert result["tracks"].read()["released"].null_count < 10
    kaggle = ingest_stage(tmp_path, DatasetSpec.kaggle(sample.tracks_path, sample.plays_path))
    plain = generate_sample(tmp_path / "plain", SampleParameters())
    spec = DatasetSpec.kaggle(plain.tracks_path, plain.plays_path)
    assert kaggle["interactions"].digest == ingest_stage(tmp_path, spec)["interactions"].digest


def test_with_feedback_the_configuration_names_the_dataset(tmp_path: Path) -> None:
    generate_sample(tmp_path, SampleParameters(scale=0.05, recency=1, feedback=True))
    settings = tomllib.loads((tmp_path / "crossfade.toml").read_text())
    assert settings["dataset"] == "dataset.toml"
    assert not {"tracks", "plays"} & settings.keys()
