"""The synthetic files: deterministic, with the real schema, edge cases and distributions."""

import csv
import sys
from pathlib import Path
from subprocess import run

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from tasks.sample import SampleParameters, SampleSummary, generate_sample
from tasks.sample.catalogue import build_catalogue
from tasks.sample.history import write_history
from tasks.sample.listening import gather_audience
from tasks.sample.music_info import make_track_ids
from warehouse.errors import InputError

MUSIC_INFO_COLUMNS = [
    "track_id", "name", "artist", "spotify_preview_url", "spotify_id", "tags", "genre", "year",
    "duration_ms", "danceability", "energy", "key", "loudness", "mode", "speechiness",
    "acousticness", "instrumentalness", "liveness", "valence", "tempo", "time_signature",
]  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SampleSummary:
    return generate_sample(tmp_path_factory.mktemp("small"), SampleParameters())


@pytest.fixture(scope="module")
def music_info(small: SampleSummary) -> list[dict[str, str]]:
    with small.tracks_path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def history(small: SampleSummary) -> pa.Table:
    return pyarrow.csv.read_csv(small.plays_path)


def frequencies(column: pa.ChunkedArray) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = column.value_counts().field("counts").to_numpy()
    return counts


def numbers(rows: list[dict[str, str]], column: str) -> NDArray[np.float64]:
    return np.array([float(row[column]) for row in rows])


def test_equal_parameters_give_equal_bytes_also_over_an_earlier_sample(
    small: SampleSummary, tmp_path: Path
) -> None:
    generate_sample(tmp_path, SampleParameters(seed=1, catalogue=0.1, scale=0.01))
    again = generate_sample(tmp_path, SampleParameters())
    assert again.tracks_path.read_bytes() == small.tracks_path.read_bytes()
    assert again.plays_path.read_bytes() == small.plays_path.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".crossfade-sample.json",
        "Music Info.csv",
        "User Listening History.csv",
    ]


def test_another_seed_is_another_catalogue_and_other_listeners(
    small: SampleSummary, tmp_path: Path
) -> None:
    other = generate_sample(tmp_path, SampleParameters(seed=1))
    assert (other.tracks, other.users) == (small.tracks, small.users)
    assert other.tracks_path.read_bytes() != small.tracks_path.read_bytes()
    ids = [set(_first_fields(summary.plays_path)) for summary in (small, other)]
    assert ids[0].isdisjoint(ids[1])


def _first_fields(path: Path) -> list[str]:
    return [line.split(",")[0] for line in path.read_text().splitlines()[1:]]


def test_the_history_does_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    # Three blocks of 8,192 listeners, so that threads can finish out of order.
    catalogue = build_catalogue(400, seed=5)
    audience = gather_audience(catalogue, 20_000, seed=5)
    for threads in (1, 4):
        write_history(tmp_path / str(threads), audience, make_track_ids(400, 5), threads)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "4").read_bytes()


def test_summary_counts_what_the_files_hold(
    small: SampleSummary, music_info: list[dict[str, str]], history: pa.Table
) -> None:
    assert small.tracks == len(music_info) == 2000
    assert small.users == len(history["user_id"].unique()) == 4000
    assert small.plays == history.num_rows
    played = set(history["track_id"].to_pylist())
    assert played <= {row["track_id"] for row in music_info}
    assert small.unplayed_tracks == 2000 - len(played) == 2000 - round(2000 * 30_459 / 50_683)


@pytest.mark.parametrize(
    ("parameters", "tracks", "users"),
    [
        (SampleParameters(catalogue=0.5), 1000, 4000),
        (SampleParameters(catalogue=2, scale=0.25), 4000, 1000),
        (SampleParameters(scale=0.01, catalogue=0.1), 200, 40),
        (SampleParameters(preset="kaggle"), 50_683, 962_037),
        (SampleParameters(preset="kaggle", scale=10, catalogue=6), 304_098, 9_620_370),
    ],
)
def test_scale_multiplies_listeners_and_catalogue_tracks(
    parameters: SampleParameters, tracks: int, users: int, tmp_path: Path
) -> None:
    assert (parameters.tracks, parameters.users) == (tracks, users)
    if users > 4000:
        return
    summary = generate_sample(tmp_path, parameters)
    assert (summary.tracks, summary.users) == (tracks, users)
    # Every listener keeps the same history length, save where 200 tracks cap it.
    assert summary.plays / users == pytest.approx(10.1, rel=0.2 if tracks < 1000 else 0.05)


def test_history_has_the_real_schema_and_every_pair_once(
    small: SampleSummary, history: pa.Table
) -> None:
    assert history.column_names == ["track_id", "user_id", "playcount"]
    found = duckdb.execute(
        """
        SELECT count(*), count(DISTINCT (track_id, user_id)), min(playcount),
            bool_and(regexp_full_match(user_id, '[0-9a-f]{40}')),
            bool_and(regexp_full_match(track_id, 'TR[A-Z0-9]{16}'))
        FROM read_csv(?, all_varchar = false)
        """,
        [str(small.plays_path)],
    ).fetchone()
    assert found == (small.plays, small.plays, 1, True, True)
    users = history["user_id"].to_pylist()
    assert users != sorted(users)
    assert b'"' not in small.plays_path.read_bytes()


def test_music_info_has_the_real_schema_in_every_reader(
    small: SampleSummary, music_info: list[dict[str, str]]
) -> None:
    assert list(music_info[0]) == MUSIC_INFO_COLUMNS
    by_arrow = pyarrow.csv.read_csv(small.tracks_path)
    by_duckdb = duckdb.execute("FROM read_csv(?)", [str(small.tracks_path)]).to_arrow_table()
    assert by_duckdb is not None
    assert by_arrow.column_names == by_duckdb.column_names == MUSIC_INFO_COLUMNS
    names = [row["name"] for row in music_info]
    assert by_arrow["name"].to_pylist() == by_duckdb["name"].to_pylist() == names
    assert len(by_duckdb["track_id"].unique()) == 2000
    for name in MUSIC_INFO_COLUMNS[7:]:
        assert pa.types.is_floating(by_arrow[name].type) or pa.types.is_integer(by_arrow[name].type)


def test_tags_and_genres_are_as_patchy_as_the_real_ones(music_info: list[dict[str, str]]) -> None:
    tags = [row["tags"].split(", ") for row in music_info if row["tags"]]
    assert 1 - len(tags) / 2000 == pytest.approx(0.022, abs=0.012)
    assert np.mean([row["genre"] == "" for row in music_info]) == pytest.approx(0.559, abs=0.04)
    assert 90 <= len({tag for row in tags for tag in row}) <= 110
    assert 2.8 <= np.mean([len(row) for row in tags]) <= 4.2
    assert all(len(set(row)) == len(row) for row in tags)
    assert 8 <= len({row["genre"] for row in music_info}) <= 16


def test_names_carry_what_trips_a_careless_reader(music_info: list[dict[str, str]]) -> None:
    for column in ("artist", "name"):
        values = {row[column] for row in music_info}
        assert any("," in value for value in values)
        assert any('"' in value for value in values)
        assert any("à" <= letter <= "ÿ" for value in values for letter in value)
        assert any("ァ" <= letter <= "ヶ" for value in values for letter in value)
        assert all(value == value.strip() != "" for value in values)
    artists = {row["artist"] for row in music_info}
    assert {"112", "311", "702", "1349"} <= artists
    assert 200 <= len(artists) <= 500


def test_sentinels_and_outliers_are_there(music_info: list[dict[str, str]]) -> None:
    silent = [row for row in music_info if float(row["tempo"]) == 0]
    assert 1 <= len(silent) <= 10
    assert all(float(row["danceability"]) == 0 == int(row["time_signature"]) for row in silent)
    loudness = numbers(music_info, "loudness")
    assert 1 <= np.sum(loudness > 0) <= 10
    assert loudness.min() == -60
    assert np.sum(numbers(music_info, "year") == 1900) >= 1
    durations = numbers(music_info, "duration_ms")
    assert durations.min() == 1_412
    assert durations.max() == 3_841_600
    spotify_ids = {row["spotify_id"] for row in music_info}
    assert 1 <= 2000 - len(spotify_ids) <= 5
    for name in ("danceability", "energy", "speechiness", "acousticness", "liveness", "valence"):
        assert numbers(music_info, name).min() >= 0
        assert numbers(music_info, name).max() <= 1


def test_shape_of_small_follows_the_published_figures(history: pa.Table) -> None:
    per_user = frequencies(history["user_id"])
    assert per_user.mean() == pytest.approx(10.1, rel=0.02)
    at = np.quantile(per_user, [0.5, 0.9, 0.99])
    np.testing.assert_allclose(at, [5, 24, 71], rtol=0.05)
    per_track = frequencies(history["track_id"])
    assert np.median(per_track) < 0.85 * per_track.mean()  # skewed …
    assert 0.04 < per_track.max() / 4000 < 0.15  # … but no track is in everyone's history
    plays = history["playcount"].to_numpy()
    assert np.mean(plays == 1) == pytest.approx(0.608, abs=0.01)
    assert np.mean(plays <= 2) == pytest.approx(0.764, abs=0.01)
    assert 2.2 < plays.mean() < 3.2
    assert plays.max() <= 2948


@pytest.mark.slow
def test_shape_of_kaggle_follows_the_published_figures(tmp_path: Path) -> None:
    summary = generate_sample(tmp_path, SampleParameters(preset="kaggle"))
    assert (summary.tracks, summary.users) == (50_683, 962_037)
    assert summary.tracks - summary.unplayed_tracks == 30_459
    assert summary.plays == pytest.approx(9_711_301, rel=0.01)
    history = pyarrow.csv.read_csv(summary.plays_path)
    per_track, per_user = (frequencies(history[name]) for name in ("track_id", "user_id"))
    at = np.quantile(per_track, [0.5, 0.9, 0.99, 1])
    np.testing.assert_allclose(at, [57, 738, 3836, 80_656], rtol=0.1)
    np.testing.assert_allclose(np.quantile(per_user, [0.5, 0.9, 0.99, 1]), [5, 24, 71, 784], 0.02)


def test_small_needs_no_heavy_import(tmp_path: Path) -> None:
    # They would take longer than the sample itself.
    code = (
        "import sys; from pathlib import Path; from tasks.sample import *; "
        "generate_sample(Path(sys.argv[1]), SampleParameters(scale=0.01, catalogue=0.1)); "
        "sys.exit(', '.join({'pandas', 'scipy', 'duckdb', 'distributed'} & set(sys.modules)) or 0)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    result = run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "fields",
    [{"preset": "large"}, {"scale": 0}, {"catalogue": 1000}, {"seed": -1}, {"users": 7}],
)
def test_parameters_out_of_bounds_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SampleParameters.model_validate(fields)


def test_an_unwritable_folder_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"file.*give --out a folder"):
        generate_sample(tmp_path / "file", SampleParameters(scale=0.01, catalogue=0.1))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
