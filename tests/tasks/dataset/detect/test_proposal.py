"""What is refused, what is asked, and what `--check` says of a TOML."""

from pathlib import Path

import pytest

from tasks.dataset.detect.check import check_spec
from tasks.dataset.detect.document import write_document
from tasks.dataset.detect.inputs import look_at
from tasks.dataset.detect.proposal import propose
from tasks.dataset.detect.reading import plays_rows, tracks_rows
from tasks.dataset.detect.sureness import Sureness
from tasks.dataset.detect.values import Kind, describe_column, split_list
from tasks.dataset.spec import DatasetSpec
from tests.tasks.dataset.detect.cases import PLAYS, plays_lines, put, tracks_lines
from warehouse.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, "tracks.csv", tracks_lines())
    put(tmp_path, "plays.csv", plays_lines())
    return tmp_path


def files(folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.iterdir())]


def test_a_catalogue_alone_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="does not look like a history"):
        propose(look_at([str(folder / "tracks.csv")]))


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda t: f"{t}.0", "`.0` at the end"),
        (lambda t: f"0{t}", "leading zeros"),
        (lambda t: f"{t:.3E}", "scientific notation"),
    ],
)
def test_ids_in_another_form_are_named_with_both_sides(
    change: object, cause: str, tmp_path: Path
) -> None:
    put(tmp_path, "tracks.csv", ["track_id,name", *(f"{t + 100},Song {t}" for t in range(60))])
    rows = plays_lines(lambda u, t, n: (f"U{u}", change(t + 100), n))  # type: ignore[operator]
    put(tmp_path, "plays.csv", rows)
    with pytest.raises(InputError, match=cause) as caught:
        propose(look_at(files(tmp_path)))
    assert "plays.csv" in str(caught.value)
    assert "tracks.csv (100, 101, 102)" in str(caught.value)


def test_ids_that_have_nothing_in_common_are_refused(folder: Path) -> None:
    put(folder, "plays.csv", plays_lines(lambda u, t, n: (f"U{u}", f"other-{t * 31}x", n)))
    with pytest.raises(InputError, match="none of the ids of `track_id`"):
        propose(look_at(files(folder)))


def test_ids_that_lost_digits_are_refused(folder: Path) -> None:
    put(folder, "plays.csv",
        plays_lines(lambda u, t, n: (f"7.65611{u % 9}e+16", f"T{t:03d}", n)))  # fmt: skip
    with pytest.raises(InputError, match="lost their last digits"):
        propose(look_at(files(folder)))


def test_a_matrix_is_refused(tmp_path: Path) -> None:
    rows = [",".join(str((u * 7 + i * 3) % 21 - 10) for i in range(100)) for u in range(50)]
    put(tmp_path, "jester.csv", rows)
    with pytest.raises(InputError, match="a matrix of 100 columns"):
        propose(look_at(files(tmp_path)))


def test_parts_that_differ_in_their_delimiter_are_refused(folder: Path) -> None:
    header, *rows = plays_lines()
    put(folder, "plays.csv", [header, *rows[:400]])
    put(folder, "plays2.csv", [line.replace(",", ";") for line in (header, *rows[400:])])
    with pytest.raises(InputError, match=r"plays2\.csv have the same columns, but the delimiter"):
        propose(look_at(files(folder)))


def test_parts_without_a_letter_beyond_ascii_fit_any_encoding(folder: Path) -> None:
    header, *rows = plays_lines()
    put(folder, "plays.csv", [header, *rows[:400]])
    put(folder, "plays2.csv", [header, *(f"É{line}" for line in rows[400:])], "latin-1")
    proposal = propose(look_at(files(folder)))
    assert [Path(path).name for path in proposal.history.paths] == ["plays.csv", "plays2.csv"]
    assert proposal.value("plays.encoding") == "latin-1"
    toml = folder / "d.toml"
    toml.write_text(write_document(proposal, folder, "it"))
    assert check_spec(DatasetSpec.from_toml(toml)).mistakes == ()


def test_a_column_that_is_there_twice_is_refused_if_it_is_needed(folder: Path) -> None:
    twice = [f"{line},{line.split(',')[1]}" for line in tracks_lines()]
    put(folder, "tracks.csv", twice)
    with pytest.raises(InputError, match=r"tracks\.csv has two columns `name`; rename one"):
        propose(look_at(files(folder)))
    put(folder, "tracks.csv", [line + "," for line in tracks_lines()])
    assert propose(look_at(files(folder))).value("tracks.title") == "name"


def test_lines_of_a_listener_and_all_tracks_are_refused(tmp_path: Path) -> None:
    lines = [" ".join(map(str, [u, *sorted((u * 7 + i * 13) % 99 for i in range(9))]))
             for u in range(60)]  # fmt: skip
    put(tmp_path, "train.txt", lines)
    with pytest.raises(InputError, match="a listener and all of the listener's tracks in a line"):
        propose(look_at(files(tmp_path)))


def test_columns_aligned_with_spaces_are_named(tmp_path: Path) -> None:
    rows = plays_lines(
        lambda u, t, n: (f"{u:<9} {t:<9}  {n:>7}",), "user       track           plays"
    )
    put(tmp_path, "plays.txt", rows)
    with pytest.raises(InputError, match="seems to align its columns with spaces"):
        propose(look_at(files(tmp_path)))


def test_whose_orders_they_are_is_said(folder: Path) -> None:
    put(folder, "plays.csv", plays_lines(lambda u, t, n: (u * 3 + n % 3, f"T{t:03d}"),
                                         "order_id,track_id"))  # fmt: skip
    put(folder, "orders.csv", ["order_id,user_id", *(f"{n},{n // 3}" for n in range(240))])
    proposal = propose(look_at(files(folder)))
    assert any("has `order_id` beside `user_id`: join it" in one for one in proposal.warnings)


def test_a_copy_and_an_empty_part_are_left_out(folder: Path) -> None:
    (folder / "plays (1).csv").write_bytes((folder / "plays.csv").read_bytes())
    (folder / "plays2.csv").write_bytes(b"")
    proposal = propose(look_at(files(folder)))
    said = {Path(one.label).name: one.reason.split()[1] for one in proposal.unused}
    assert said in ({"plays (1).csv": "a", "plays2.csv": "empty"},
                    {"plays.csv": "a", "plays2.csv": "empty"})  # fmt: skip


def test_halves_of_a_history_are_read_together(tmp_path: Path) -> None:
    """`a.csv` and `b.csv` of the same columns are one history, unless one repeats the other."""
    header, *rows = plays_lines()
    put(tmp_path, "tracks.csv", tracks_lines())
    put(tmp_path, "a.csv", [header, *rows[:500]])
    put(tmp_path, "b.csv", [header, *rows[500:]])
    put(tmp_path, "some.csv", [header, *rows[100:200]])
    put(tmp_path, "other.csv", [header.replace("playcount", "rating"), *rows[:500]])
    proposal = propose(look_at(files(tmp_path)))
    assert [Path(path).name for path in proposal.history.paths] == ["a.csv", "b.csv"]
    assert "in 2 files of the same columns" in proposal.decisions[0].reason
    unused = {Path(one.label).name: one.reason for one in proposal.unused}
    assert unused.keys() == {"some.csv", "other.csv"}
    assert unused["some.csv"].startswith("repeats rows of ")


def test_folds_of_a_history_are_no_parts_of_it(tmp_path: Path) -> None:
    """`u.data` beside `u1.base` and `u1.test`, which hold the same rows, without a header."""
    lines = plays_lines(lambda u, t, n: (u + 1, t + 101, n), None, "\t")
    for name, part in (("u.data", lines), ("u1.base", lines[:600]), ("u1.test", lines[600:])):
        put(tmp_path, name, part)
    proposal = propose(look_at(files(tmp_path)))
    assert [Path(path).name for path in proposal.history.paths] == ["u.data"]
    assert proposal.catalogue is None


def test_objects_in_rows_are_named(tmp_path: Path) -> None:
    row = '{"user_name": "U%d", "listened_at": %d, "track_metadata": {"track_name": "Song %d"}}'
    put(tmp_path, "listens.jsonl", [row % (u, u, t) for u, t, _ in PLAYS])
    with pytest.raises(InputError, match=r"`track_metadata` holds objects: write their values"):
        propose(look_at(files(tmp_path)))


def test_columns_that_describe_a_derived_catalogue_are_used(tmp_path: Path) -> None:
    put(tmp_path, "plays.csv", plays_lines(lambda u, t, n: (u, t, f"Song {t}", f"By {t % 9}", n),
                                           "user_id,track_id,title,artist,playcount"))  # fmt: skip
    text = '[plays]\npath = "plays.csv"\nuser = "user_id"\ntrack = "track_id"\ntitle = "title"\n'
    checked = check_spec(spec_of(tmp_path, text + 'creator = "artist"\n'))
    assert checked.unused["plays"] == ["playcount"]


def test_an_answer_changes_the_proposal(tmp_path: Path) -> None:
    put(tmp_path, "x.tsv", plays_lines(lambda u, t, n: (f"{t}a", f"{u}b", n), None, "\t"))
    inputs = look_at(files(tmp_path))
    first = propose(inputs)
    question = first.decision("plays.user")
    assert question is not None
    assert question.sureness is Sureness.GUESS
    assert question.value == "user"
    other = propose(inputs, {"plays.user": "column_2", "plays.track": "column_1"})
    assert [column.name for column in other.history.columns] == ["track", "user", "count"]
    assert other.value("plays.user") == "user"


def spec_of(folder: Path, text: str) -> DatasetSpec:
    path = folder / "dataset.toml"
    path.write_text(text, encoding="utf-8")
    return DatasetSpec.from_toml(path)


TOML = """
[tracks]
path = "tracks.csv"
id = "track_id"
title = "name"
creator = "artist"
tags = { column = "tags" }
[plays]
path = "plays.csv"
user = "user_id"
track = "track_id"
count = "playcount"
"""


def test_a_right_toml_has_no_mistakes(folder: Path) -> None:
    checked = check_spec(spec_of(folder, TOML))
    assert checked.mistakes == ()
    assert checked.unused == {"plays": [], "tracks": ["year", "tempo"]}


def test_a_column_that_no_field_names_is_offered(folder: Path) -> None:
    checked = check_spec(spec_of(folder, TOML.replace('title = "name"\n', "")))
    assert checked.mistakes == ("`name` is not used; it could be `tracks.title`",)


def test_ratings_as_counts_are_a_likely_mistake(folder: Path) -> None:
    rows = plays_lines(lambda u, t, n: (f"U{u}", f"T{t:03d}", 1 + n % 5), "user_id,track_id,rating")
    put(folder, "plays.csv", rows)
    checked = check_spec(spec_of(folder, TOML.replace("playcount", "rating")))
    assert any("looks like ratings" in one and "min = 4" in one for one in checked.mistakes)


def test_another_encoding_is_a_likely_mistake(folder: Path) -> None:
    lines = [line.replace("Song", "Café") for line in tracks_lines()]
    put(folder, "tracks.csv", lines, "latin-1")
    checked = check_spec(spec_of(folder, TOML))
    assert any('write encoding = "latin-1" in [tracks]' in one for one in checked.mistakes)


def test_a_missing_column_is_an_error_with_the_columns_there_are(folder: Path) -> None:
    with pytest.raises(InputError, match=r"`plays.user` names column `uid`.*user_id, track_id"):
        check_spec(spec_of(folder, TOML.replace('user = "user_id"', 'user = "uid"')))


def test_rows_are_shown_as_the_fields_see_them(folder: Path) -> None:
    text = TOML.replace('creator = "artist"', 'creator = "artist"\nyear = "year"')
    spec = spec_of(folder, text + "where = \"playcount >= 5 AND track_id <> 'T001'\"\n")
    checked = check_spec(spec)
    assert checked.catalogue is not None
    assert tracks_rows(checked.catalogue, spec.tracks, 1) == [
        {"id": "T000", "title": "Song 0", "creator": "Artist 0", "tags": "style0", "year": "1990"}
    ]
    rows, share = plays_rows(checked.history, spec.plays, 500)
    counts = [int(line.rpartition(",")[2]) for line in plays_lines()[1:] if "T001" not in line]
    assert [int(row["count"]) for row in rows] == [count for count in counts if count >= 5][:500]
    assert share == sum(count >= 5 for count in counts) / len(plays_lines()[1:])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2", "3"], Kind.INTEGER),
        (["1.5", "2", "NA"], Kind.DECIMAL),
        (["1,5", "2,25", "3"], Kind.DECIMAL),
        (["True", "False", "True"], Kind.BOOLEAN),
        (["2009-04-08T01:57:47Z"] * 3, Kind.DATE),
        (["964982703", "1445714994"] * 3, Kind.EPOCH),
        (["1588687728923"] * 3, Kind.EPOCH_MS),
        (["http://x.org/1", "https://y.org"], Kind.URL),
        (["['a', 'b']", "['c']"], Kind.LIST),
        (["rock|pop", "pop|jazz", "rock|jazz"] * 4, Kind.LIST),
        (["Earth, Wind & Fire", "Tyler, The Creator", "Adele"], Kind.TEXT),
        (["nan", "None", ""], Kind.EMPTY),
    ],
)
def test_kinds_of_columns(values: list[str], kind: Kind) -> None:
    assert describe_column("x", values).kind is kind


def test_lists_are_split_by_their_syntax() -> None:
    assert split_list('["a", "b"]', "json") == ["a", "b"]
    assert split_list("['a', 'b']", "python") == ["a", "b"]
    assert split_list("[{'id': 1, 'name': 'Drama'}]", "python") == ["Drama"]
    assert split_list("a | b", "|") == ["a", "b"]
