"""Every folder of ../shared/cases: as a first-time user describes it, and described rightly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.stage import ingest_stage
from tasks.lake.record import StageResult
from warehouse.errors import InputError

CASES = Path(__file__).parents[4] / "shared" / "cases"

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason="the folder of cases is not beside the project"
)


@dataclass(frozen=True)
class Given:
    """A dataset.toml as it lies in the folder, or with some text in it replaced."""

    case: str
    message: str = ""
    """What the sentence says that stops the run; nothing: there is a result."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Counts that differ from 60 tracks, 80 listeners and 800 plays, one a pair."""
    warns: tuple[str, ...] = ()
    """Checks that give a warning."""
    edits: tuple[tuple[str, str], ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)
    """Columns of the first track in byte order of the ids."""

    def __str__(self) -> str:
        return self.case + (" put right" if self.edits else "")


def strength(column: str, least: float) -> tuple[tuple[str, str], ...]:
    return ((f'count = "{column}"', f'strength = {{ column = "{column}", min = {least} }}'),)


GIVEN = [
    Given("anime_minus1", r"146 of 800 records.*'1,T032,-1'.*strength = "),
    Given(
        "anime_minus1",
        counts={"filtered_plays": 146, "plays_rows": 654, "plays": 654},
        edits=strength("rating", 0),
    ),
    Given("big_int_float", r"column `user_id` holds ids as floating-point.*export it as text"),
    Given("bx_ratings_zero", r"497 of 800 records cannot be used"),
    Given(
        "bx_ratings_zero",
        counts={"filtered_plays": 497, "plays_rows": 303, "plays": 303},
        edits=(('count = "Book-Rating"', "where = '\"Book-Rating\" > 0'"),),
    ),
    Given("bz2_file"),
    Given("case_whitespace_ids", r"spaces around them; write strip = true"),
    Given("case_whitespace_ids", edits=(("[plays]", "[plays]\nstrip = true"),)),
    Given("comment_preamble", r'seems to be a comment.*write comment = "#"'),
    Given("comment_preamble", edits=(("[plays]", '[plays]\ncomment = "#"'),)),
    Given("comment_preamble", edits=(("[plays]", "[plays]\nskip = 2"),)),
    Given("csv_float_ids", r"ids like '\d+\.0', .*like '1', '10', '11'; they differ by `\.0`"),
    Given("csv_quote_in_plays_tsv", counts={"plays": 800}),
    Given("empty_parquet_part", warns=("empty_files",)),
    Given("empty_part", warns=("empty_files",)),
    Given(
        "exact_duplicates",
        counts={"play_records": 1600, "merged_duplicates": 800, "plays": 2 * 4124},
        warns=("duplicate_plays",),
    ),
    Given("explicit_bool_numeric", values={"explicit": 0.0}),
    Given(
        "half_star_ratings",
        counts={"fractional_counts": 402, "plays": 2418},
        warns=("fractional_counts",),
    ),
    Given(
        "half_star_ratings",
        counts={"filtered_plays": 473, "plays_rows": 327, "plays": 327},
        edits=strength("rating", 3.5),
    ),
    Given("html_login_page", r"is an HTML page"),
    Given("huge_count", r"625 of 800 records.*strength = \{ column = …, scale"),
    Given(
        "huge_count",
        counts={"plays": 114_744},
        edits=(('count = "ms_played"', 'strength = { column = "ms_played", scale = 0.000005 }'),),
    ),
    Given("interactions_only"),
    Given("interactions_only_copy"),
    Given("json_genres", warns=("unread_lists",)),
    Given(
        "json_genres",
        edits=(('"genres" }', '"genres", list = "python" }'),),
        values={"tags": ["Style0", "Comedy"]},
    ),
    Given("jsonl", counts={"plays": 800}),
    Given(
        "jsonl",
        counts={"plays": 800},
        edits=(
            (
                "[plays]",
                'creator = "store"\ntags = { column = "categories", list = "json" }\n[plays]',
            ),
        ),
        values={"artist": "Artist 0", "tags": ["a", "b"]},
    ),
    Given("jsonl_gz", counts={"plays": 800}),
    Given(
        "latin1_header", r'as cp1252 its header is "track_id,titre_français.*encoding = "cp1252"'
    ),
    Given(
        "latin1_header",
        edits=(("[tracks]", '[tracks]\nencoding = "latin-1"'),),
        values={"name": "Song 0"},
    ),
    Given("latin1_many", r'400 of 400 records.*not_utf8.*encoding = "cp1252"'),
    Given(
        "latin1_many",
        counts={"tracks": 400},
        edits=(("[tracks]", '[tracks]\nencoding = "cp1252"'),),
        values={"name": "Café Song 0", "artist": "Björk"},
    ),
    Given("leading_zero_ids", r"'0108775026'.*like '108775001'.*leading zeros"),
    Given("lfs_pointer", r"is a Git LFS pointer"),
    Given("ml1m_double_colon", r'its header is "1::Film Song 0.*encoding = "cp1252"'),
    Given(
        "ml1m_double_colon",
        counts={"plays": 800},
        edits=(
            (
                "[tracks]",
                '[tracks]\nheader = false\ncolumns = ["movieId", "title", "genres"]\n'
                'encoding = "latin-1"\ntags = { column = "genres", separator = "|" }',
            ),
            (
                "[plays]",
                '[plays]\nheader = false\ncolumns = ["userId", "movieId", "rating", "at"]',
            ),
        ),
        values={"name": "Film Song 0 (1990)", "tags": ["Action", "Comédie"]},
    ),
    Given(
        "nan_text_catalogue",
        warns=("null_like_names",),
        values={"name": "nan", "artist": "Artist 0", "tags": None},
    ),
    Given("parquet_bool", values={"explicit": 0.0}),
    Given("parquet_dir"),
    Given("parquet_float_ids", counts={"rejected_plays": 2, "plays_rows": 798, "plays": 4119}),
    Given("parquet_ts_year", values={"year": 1990}),
    Given("parquet_uuid", counts={"plays": 800}),
    Given("playlists_rows", r"those of the history are lists: write track = "),
    Given(
        "playlists_rows",
        counts={"plays": 800},
        edits=(('track = "tracks"', 'track = { column = "tracks", list = "," }'),),
    ),
    Given("pylist_artists_genres", warns=("unread_lists",)),
    Given(
        "pylist_artists_genres",
        edits=(
            ('creator = "artists"', 'creator = { column = "artists", list = "python" }'),
            ('separator = ","', 'list = "python"'),
        ),
        values={"artist": "Artist 0", "artists": ["Artist 0"], "tags": ["style0", "rock"]},
    ),
    Given("ragged_optional"),
    Given("ratings_all_count", counts={"plays": 2400}),
    Given(
        "ratings_all_count",
        counts={"filtered_plays": 400, "plays_rows": 400, "plays": 400},
        edits=strength("rating", 4),
    ),
    Given("reserved_name", values={"feature_popularity": 0.0, "tempo": 80.7}),
    Given("same_song_many_ids"),
    Given(
        "same_song_many_ids",
        counts={"tracks": 30, "merged_tracks": 30, "plays_rows": 778, "merged_duplicates": 22},
        edits=(("[plays]", 'duplicates = ["title", "creator"]\n[plays]'),),
    ),
    Given("skipped_flag", counts={"plays": 800}),
    Given(
        "skipped_flag",
        counts={"filtered_plays": 267, "plays_rows": 533, "plays": 533},
        edits=(("[plays]", "[plays]\nwhere = \"action = 'play'\""),),
    ),
    Given("spotify_playlists_header", counts={"plays": 800}),
    Given("targz_file", r"is a tar archive; unpack it.*`plays\.path`"),
    Given("tsv_headerless_triplets", r"seems to be data and no header.*write header = false"),
    Given(
        "tsv_headerless_triplets",
        edits=(("[plays]", '[plays]\nheader = false\ncolumns = ["user", "song", "play_count"]'),),
    ),
    Given("tsv_leading_quote"),
    Given("tsv_quote_swallow"),
    Given("unknown_number", warns=("unreadable_values",), values={"Episodes": None}),
    Given("url_path", r"https://example\.org/plays\.csv .*is remote.*fetch it first"),
    Given("year_named_other", values={"released_year": 1990.0, "year": None}),
    Given(
        "year_named_other",
        edits=(
            ('numeric = ["released_year"]', 'year = "released_year"'),
            ('categorical = ["track_genre"]', 'genre = "track_genre"'),
        ),
        values={"year": 1990, "genre": "pop"},
    ),
    Given("zip_file"),
]


def ingest(given: Given, folder: Path) -> StageResult:
    """Ingest a case from a copy of its TOML with absolute paths."""
    text = (CASES / given.case / "dataset.toml").read_text()
    for old, new in given.edits:
        assert old in text
        text = text.replace(old, new)
    if "://" not in text:
        text = text.replace('path = "', f'path = "{CASES / given.case}/')
    (folder / "dataset.toml").write_text(text)
    return ingest_stage(folder / "lake", DatasetSpec.from_toml(folder / "dataset.toml"))


@pytest.mark.parametrize("given", GIVEN, ids=str)
def test_a_case_ends_as_it_should(tmp_path: Path, given: Given) -> None:
    if given.message:
        with pytest.raises(InputError, match=given.message) as caught:
            ingest(given, tmp_path)
        assert "\n" not in str(caught.value)
        return
    result = ingest(given, tmp_path)
    whole = {
        "tracks": 60,
        "users": 80,
        "plays_rows": 800,
        "rejected_tracks": 0,
        "rejected_plays": 0,
    }
    expected = {**whole, "filtered_plays": 0, **given.counts}
    assert {name: result.counts[name] for name in expected} == expected
    quality = result["data_quality"].read().to_pylist()
    assert {row["check_name"] for row in quality if row["status"] == "failed"} == {*given.warns}
    track = result["tracks"].read().to_pylist()[0]
    assert {name: track[name] for name in given.values} == given.values


def test_every_case_is_here() -> None:
    assert {given.case for given in GIVEN} == {one.name for one in CASES.iterdir() if one.is_dir()}


def test_quotes_in_a_tab_separated_file_are_characters(tmp_path: Path) -> None:
    named = ingest(Given("tsv_leading_quote"), tmp_path)["tracks"].read()["name"].to_pylist()
    assert named[3:8] == [
        '"Weird Al" Yankovic', '"Heroes"', 'Lee "Scratch" Perry', '12" mix', '"Unclosed start',
    ]  # fmt: skip


def test_merged_songs_are_recorded_with_the_id_that_is_kept(tmp_path: Path) -> None:
    edits = (("[plays]", 'duplicates = ["title", "creator"]\n[plays]'),)
    result = ingest(Given("same_song_many_ids", edits=edits), tmp_path)
    merged = result["merged_tracks"].read().to_pylist()
    kept = set(result["tracks"].read()["track_id"].to_pylist())
    assert len(merged) == 30
    assert {row["kept_id"] for row in merged} <= kept
    assert not {row["track_id"] for row in merged} & kept
