"""The dataset TOML: what it may say and how its mistakes are explained."""

from pathlib import Path

import pytest

from tasks.dataset.spec import KAGGLE_CATEGORICAL, KAGGLE_NUMERIC, DatasetSpec
from warehouse.errors import InputError

MOVIES = """
[tracks]
path = "movies.csv"
id = "movie_id"
title = "title"
tags = { column = "genres", separator = "|" }
numeric = ["year"]
[plays]
path = "views*.csv"
user = "viewer_id"
track = "movie_id"
"""


def from_text(folder: Path, text: str) -> DatasetSpec:
    path = folder / "movies.toml"
    path.write_text(text)
    return DatasetSpec.from_toml(path)


def test_a_toml_of_ten_lines_describes_a_catalogue(tmp_path: Path) -> None:
    spec = from_text(tmp_path, MOVIES)
    assert spec.name == str(tmp_path / "movies.csv")
    assert spec.tracks.path == (str(tmp_path / "movies.csv"),)
    assert spec.plays.path == (str(tmp_path / "views*.csv"),)
    assert spec.tracks.tags is not None
    assert (spec.tracks.tags.column, spec.tracks.tags.separator) == ("genres", "|")
    assert spec.tracks.numeric == ("year",)
    assert spec.tracks.categorical == ()
    assert spec.plays.count is None
    assert not spec.tracks.absent_ok


def test_a_name_and_lists_of_files_are_kept(tmp_path: Path) -> None:
    text = 'name = "films"\n' + MOVIES.replace('"views*.csv"', '["a.csv", "/elsewhere/b.csv"]')
    spec = from_text(tmp_path, text)
    assert spec.name == "films"
    assert spec.plays.path == (str(tmp_path / "a.csv"), "/elsewhere/b.csv")


def test_a_bracket_in_the_folder_is_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "day [1]"
    folder.mkdir()
    spec = from_text(folder, MOVIES)
    assert spec.plays.path == (str(tmp_path / "day [[]1]" / "views*.csv"),)


def test_the_kaggle_pair_is_named_by_its_catalogue(tmp_path: Path) -> None:
    spec = DatasetSpec.kaggle(tmp_path / "x" / ".." / "Music Info.csv", tmp_path / "plays.csv")
    assert spec.name == str(tmp_path / "Music Info.csv")
    assert spec.tracks.numeric == KAGGLE_NUMERIC
    assert spec.tracks.categorical == KAGGLE_CATEGORICAL
    assert spec.tracks.absent_ok
    assert len(set(spec.tracks.columns().values())) == 21


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "title"', 'titel = "t"', "there is no field `tracks.titel`; write `title`"),
        ("[plays]", "[plays]\nzzz = 'at'", "there is no field `plays.zzz`; it may be one of path"),
        ('user = "viewer_id"\n', "", "`plays.user` is missing; add it"),
        ('separator = "|"', 'seperator = "|"', "`tracks.tags.seperator`; write `separator`"),
        ('{ column = "genres", separator = "|" }', '"genres"', "`tracks.tags` must be a table"),
        ('["year"]', "[7]", "`tracks.numeric` must be a list of column names; write"),
        ('["year"]', '["a", "a"]', "column `a` is listed twice as a feature"),
        ('["year"]', '["genre"]', "`genre` is a label; list it under `tracks.categorical`"),
        ("numeric", "categorical", "`year` is a number; list it under `tracks.numeric`"),
        ('path = "movies.csv"', "path = []", "`tracks.path` must be a file, a glob or a list"),
        ("[plays]", "[plays]\ndelimiter = ''", "a delimiter is one to eight characters"),
        ("[plays]", "[plays]\nencoding = 'latin-99'", "there is no encoding `latin-99`; write"),
        ("[plays]", "[plays]\nquote = '<<'", "`plays.quote` must be one character"),
        ("[plays]", "[plays]\nheader = false", "`header = false` needs the columns' names"),
        ("[plays]", "[plays]\nwhere = 'a ='", "`where` cannot be read"),
        ("[plays]", "[plays]\nwhere = 'a = (SELECT 1)'", "`where` uses subquery"),
        ("[plays]", "[plays]\nwhere = 'getenv(a) = 1'", "`where` uses getenv"),
        ("[plays]", "[plays]\nwhere = 'a = 1 LIMIT 3'", "`where` is more than a condition"),
        ("[plays]", "[plays]\nstrength = { column = 'r' }", "has neither `min` nor `scale`"),
        ('title = "title"', "creator = 3", "`tracks.creator` must be a column, a list of columns"),
        ('title = "title"', "duplicates = ['title']", "but `tracks.title` is missing"),
        ("[plays]", "[plays]\ncount = 'n'\nstrength = { column = 'r', scale = 2 }", "keep one"),
        ('"viewer_id"', "5", "`plays.user` must be a text that is not empty, in quotes"),
        ('"viewer_id"', '"movie_id"', "`plays.user` and `plays.track` both name column `movie_id`"),
        ('separator = "|"', 'separator = ""', "`tracks.tags.separator` must be a text that is not"),
        ("[plays]", "[plays", "is not valid TOML"),
        ("[plays]", "[listens]", "there is no field `listens`"),
    ],
)
def test_mistakes_are_explained_in_one_sentence(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in MOVIES
    with pytest.raises(InputError) as caught:
        from_text(tmp_path, MOVIES.replace(old, new))
    assert message in str(caught.value)
    assert str(tmp_path / "movies.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the table \[plays\] is missing"):
        from_text(tmp_path, MOVIES.split("[plays]")[0])


def test_a_toml_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no dataset TOML"):
        DatasetSpec.from_toml(tmp_path / "none.toml")
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory\); give a dataset TOML"):
        DatasetSpec.from_toml(tmp_path)


def test_reserved_names_of_features_are_renamed(tmp_path: Path) -> None:
    spec = from_text(tmp_path, MOVIES.replace('["year"]', '["Popularity", "year"]'))
    assert spec.tracks.numeric == ("feature_Popularity", "year")
    assert spec.tracks.source("feature_Popularity") == "Popularity"
    assert spec.tracks.columns()["tracks.numeric[0]"] == "Popularity"


def test_without_a_catalogue_the_history_describes_it(tmp_path: Path) -> None:
    spec = from_text(tmp_path, "[plays]" + MOVIES.split("[plays]")[1] + 'title = "name"\n')
    assert spec.tracks.derived
    assert spec.tracks.path == spec.plays.path
    assert (spec.tracks.id, spec.tracks.title) == ("movie_id", "name")


def test_a_url_is_not_taken_for_a_relative_path(tmp_path: Path) -> None:
    spec = from_text(tmp_path, MOVIES.replace("movies.csv", "https://example.org/movies.csv"))
    assert spec.tracks.path == ("https://example.org/movies.csv",)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ('{ column = "t", zone = "Europe/Berln" }', 'no time zone `Europe/Berln`.*"Europe/Berlin"'),
        ('{ column = "t", zone = "+02:00" }', r"no time zone `\+02:00`; write a name such as"),
        ('{ column = "t", format = "%Q" }', "the time format '%Q' cannot be read"),
        ('{ column = "t", unit = "min" }', '`plays.at.unit` must be "s", "ms", "us" or "ns"'),
        ('{ column = "t", unit = "s", format = "%Y" }', "both `unit`, for numbers, and `format`"),
        ('{ column = "t", units = "s" }', "there is no field `plays.at.units`; write `unit`"),
        ('{ unit = "s" }', "`plays.at.column` is missing"),
        ("5", '`plays.at` must be a table; write { column = "…", unit = "ms" }'),
        ('""', "`plays.at.column` must be a text"),
    ],
)
def test_mistakes_in_the_time_are_explained(at: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        from_text(tmp_path, f"{MOVIES}at = {at}\n")


def test_a_column_alone_is_a_time_in_utc(tmp_path: Path) -> None:
    short = from_text(tmp_path, f'{MOVIES}at = "t"\n').plays.at
    assert short == from_text(tmp_path, f'{MOVIES}at = {{ column = "t", zone = "UTC" }}\n').plays.at
    assert from_text(tmp_path, MOVIES).plays.at is None
