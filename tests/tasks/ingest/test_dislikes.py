"""Dislikes of a history: the last word of a listener on a track, and for how long it holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.dataset.spec import DatasetSpec
from tasks.ingest.dislikes import DAY, settle
from tasks.ingest.history import Plays
from tasks.ingest.stage import ingest_stage
from tasks.lake.record import StageResult
from warehouse.errors import InputError

Pair = tuple[str, str]


class Row(NamedTuple):
    """A row of a history."""

    user: int
    track: int
    at: int
    """0: not known."""
    is_dislike: bool


class Expected(NamedTuple):
    """What the rule gives."""

    played: set[tuple[int, int]]
    disliked: set[tuple[int, int]]


def last_word(rows: Sequence[Row], days: int | None) -> Expected:
    """Say the rule once more, pair by pair and row by row."""
    played: set[tuple[int, int]] = set()
    disliked: set[tuple[int, int]] = set()
    for user, track in {(row.user, row.track) for row in rows}:
        ours = [row for row in rows if (row.user, row.track) == (user, track)]
        no, yes = ([one for one in ours if one.is_dislike is kind] for kind in (True, False))
        if any(one.at == 0 for one in no):
            disliked.add((user, track))
            continue
        latest = max((one.at for one in no), default=-1)
        if latest < max((one.at for one in yes), default=-1):
            played.add((user, track))
            continue
        newest = max((row.at for row in rows if row.user == user and not row.is_dislike), default=0)
        if days is None or newest < latest + days * DAY:
            disliked.add((user, track))
    return Expected(played, disliked)


ROWS = st.lists(
    st.builds(
        Row,
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from([0, *range(DAY * 100, DAY * 106, DAY // 2)]),
        st.booleans(),
    ),
    min_size=1,
    max_size=24,
)


@settings(max_examples=300, deadline=None)
@given(rows=ROWS, days=st.sampled_from([None, 1, 2, 4]), timed=st.booleans())
def test_the_last_word_decides(rows: list[Row], days: int | None, timed: bool) -> None:
    rows = sorted(rows if timed else [row._replace(at=0) for row in rows], key=lambda x: x[:2])
    columns = {
        "user_code": pa.array([row.user for row in rows], pa.int32()),
        "track_key": pa.array([row.track for row in rows], pa.int32()),
        "plays": pa.array([0 if row.is_dislike else 2 for row in rows], pa.int32()),
        "played_at": pa.array([row.at for row in rows], pa.uint32()),
    }
    if not timed:
        del columns["played_at"]
    history = Plays(pa.table(columns), pa.chunked_array([["a", "b", "c", "d"]]), pa.table({}))
    found, expected = settle(history, days), last_word(rows, days)
    kept = found.plays.rows.to_pylist()
    assert {(row["user_code"], row["track_key"]) for row in kept} == expected.played
    assert all(row["plays"] == 2 for row in kept)
    pairs = [(row["user_code"], row["track_key"]) for row in found.dislikes.to_pylist()]
    assert pairs == sorted(expected.disliked)
    assert found.dislike_rows == sum(row.is_dislike for row in rows)
    assert len(rows) == len(kept) + found.dislike_rows + found.disliked_plays
    touched = {(row.user, row.track) for row in rows}
    assert found.lapsed == len(touched) - len(expected.played) - len(pairs)
    # a listener who said anything at all is left with a play or a dislike
    assert {user for user, _ in touched} == {user for user, _ in expected.played | set(pairs)}


def read(folder: Path, history: str, plays: str, name: str = "h.csv") -> StageResult:
    """Take in a history of tracks a to e; ``plays`` is what its table says beside the ids."""
    (folder / "t.csv").write_text("id\na\nb\nc\nd\ne\n")
    (folder / name).write_text(history)
    (folder / "d.toml").write_text(
        f'[tracks]\npath = "t.csv"\nid = "id"\n[plays]\npath = "{name}"\nuser = "u"\ntrack = "t"\n'
        + plays
    )
    return ingest_stage(folder / "lake", DatasetSpec.from_toml(folder / "d.toml"))


def of_pairs(result: StageResult) -> tuple[dict[Pair, int], dict[Pair, int | None]]:
    """Return plays of the interactions, and times of the dislikes."""
    users = result["users"].read()["user_id"].to_pylist()
    tracks = result["tracks"].read().to_pylist()
    played = {one["played_key"]: one["track_id"] for one in tracks}
    ids = [one["track_id"] for one in tracks]
    return (
        {
            (users[row["user_key"]], played[row["played_key"]]): row["plays"]
            for row in result["interactions"].read().to_pylist()
        },
        {
            (users[row["user_key"]], ids[row["track_key"]]): row.get("last_at")
            for row in result["dislikes"].read().to_pylist()
        },
    )


def checks(result: StageResult) -> Mapping[str, tuple[str, float]]:
    """Return status and observation of every check."""
    found = result["data_quality"].read().to_pylist()
    return {row["check_name"]: (row["status"], row["observed"]) for row in found}


def test_low_ratings_are_dislikes_and_middling_ones_nothing(tmp_path: Path) -> None:
    history = "u,t,r\nx,a,5\nx,b,1\nx,c,3\ny,a,2.0\ny,a,4\nz,c,0.5\nx,q,1\n"
    result = read(
        tmp_path, history, 'strength = { column = "r", min = 3.5 }\ndislikes = "r <= 2"\n'
    )
    played, disliked = of_pairs(result)
    assert played == {("x", "a"): 1}
    assert disliked == dict.fromkeys([("x", "b"), ("y", "a"), ("z", "c")])
    assert result["users"].read().select(["user_id", "tracks_played", "plays"]).to_pylist() == [
        {"user_id": "x", "tracks_played": 1, "plays": 1},
        {"user_id": "y", "tracks_played": 0, "plays": 0},
        {"user_id": "z", "tracks_played": 0, "plays": 0},
    ]
    counts = result.counts
    assert [counts[name] for name in ("play_records", "filtered_plays", "unknown_track_plays")] == [
        7, 1, 1,
    ]  # fmt: skip
    assert [counts[name] for name in ("dislike_rows", "disliked_plays", "dislikes")] == [3, 1, 3]
    assert counts["rejected_plays"] == 0
    assert checks(result)["dislikes"] == ("passed", 4 / 7)
    assert checks(result)["unmet_dislikes"][0] == "passed"


def test_a_later_play_revokes_a_dislike_and_a_dislike_lapses(tmp_path: Path) -> None:
    """Days of May 2024; 10 days; x's newest play is that of e on the 21st.

    a: disliked on the 1st, played on the 2nd, so played. b: played on the 3rd, disliked on the
    4th, which is 17 days before. c: on the 12th, 9 days before. d: on the 11th, exactly 10.
    """
    history = "u,t,skipped,at\n" + "".join(
        f"x,{track},{skipped},2024-05-{day:02}\n"
        for track, skipped, day in (
            ("c", "true", 12), ("a", "false", 2), ("a", "true", 1), ("b", "", 3), ("b", "1", 4),
            ("d", "yes", 11), ("e", "no", 21),
        )
    )  # fmt: skip
    days = 'at = "at"\ndislikes = { where = "skipped", days = 10 }\n'
    result = read(tmp_path, history + "y,e,no,2024-06-30\n", days)
    played, disliked = of_pairs(result)
    assert played == {("x", "a"): 1, ("x", "e"): 1, ("y", "e"): 1}
    assert disliked == {("x", "c"): 1_715_472_000}  # 12 May; y's plays are no clock for x
    assert (result.counts["lapsed_dislikes"], result.counts["disliked_plays"]) == (2, 1)
    for_good = of_pairs(read(tmp_path, history, 'at = "at"\ndislikes = "skipped"\n'))[1]
    assert sorted(track for _, track in for_good) == ["b", "c", "d"]


def test_a_dislike_needs_ids_and_a_time_but_no_count(tmp_path: Path) -> None:
    history = (
        "u,t,n,liked,at\nx,a,0,f,2024-05-01\nx,b,,f,\nx,c,-,f,2024-05-01\n,d,1,f,2024-05-01\n"
        "x,d,1,f,soon\nx,e,0,t,2024-05-01\nx,e,2,t,2024-05-01\n"
    )
    result = read(tmp_path, history, 'count = "n"\nat = "at"\ndislikes = "NOT liked"\n')
    played, disliked = of_pairs(result)
    assert played == {("x", "e"): 2}
    assert disliked == {("x", "a"): 1_714_521_600, ("x", "b"): None, ("x", "c"): 1_714_521_600}
    reasons = sorted(row["reason"] for row in result["rejected_rows"].read().to_pylist())
    assert reasons == ["at_not_a_time", "count_not_positive", "user_id_missing"]


@pytest.mark.parametrize("name", ["h.csv", "h.jsonl"])
def test_where_decides_first(tmp_path: Path, name: str) -> None:
    rows = [("x", "a", "like", "de"), ("x", "b", "hate", "de"), ("x", "c", "hate", "fr")]
    history = "u,t,k,land\n" + "".join(",".join(row) + "\n" for row in rows)
    if name.endswith("jsonl"):
        history = "".join(
            f'{{"u": "{u}", "t": "{t}", "k": "{k}", "land": "{land}"}}\n' for u, t, k, land in rows
        )
    result = read(
        tmp_path, history, "where = \"land = 'de'\"\ndislikes = \"k = 'hate'\"\n", name=name
    )
    assert of_pairs(result) == ({("x", "a"): 1}, {("x", "b"): None})
    assert result.counts["filtered_plays"] == 1


def test_a_rule_that_no_row_meets_gives_a_warning(tmp_path: Path) -> None:
    result = read(tmp_path, "u,t,k\nx,a,like\n", "dislikes = \"k = 'Hate'\"\n")
    assert checks(result)["unmet_dislikes"] == ("failed", 1.0)
    assert result["dislikes"].rows == 0


def test_the_dislike_of_a_song_is_one_of_all_its_ids(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,n,c\na,Song,Who\nb,song,who\nc,Else,Who\n")
    (tmp_path / "h.csv").write_text("u,t,k\nx,a,1\nx,b,0\nx,c,1\ny,a,1\n")
    (tmp_path / "d.toml").write_text(
        '[tracks]\npath = "t.csv"\nid = "id"\ntitle = "n"\ncreator = "c"\n'
        'duplicates = ["title", "creator"]\n'
        '[plays]\npath = "h.csv"\nuser = "u"\ntrack = "t"\ndislikes = "k = 0"\n'
    )
    result = ingest_stage(tmp_path / "lake", DatasetSpec.from_toml(tmp_path / "d.toml"))
    assert of_pairs(result) == ({("x", "c"): 1, ("y", "a"): 1}, {("x", "a"): None})


def test_a_history_of_nothing_but_dislikes_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no row of h\.csv counts as a play: 1 are dislikes"):
        read(tmp_path, "u,t,k\nx,a,0\n", 'dislikes = "k = 0"\n')


def test_without_the_field_everything_is_as_it_would_be_without_such_rows(tmp_path: Path) -> None:
    plays = "u,t,k\nx,a,1\ny,b,1\ny,a,1\n"
    for folder in ("plain", "with"):
        (tmp_path / folder).mkdir()
    plain = read(tmp_path / "plain", plays, "")
    ruled = read(tmp_path / "with", plays + "x,c,0\n", 'dislikes = "k = 0"\n')
    for name in ("tracks", "users", "interactions", "merged_tracks", "rejected_rows"):
        assert plain[name].digest == ruled[name].digest, name
    assert (plain["dislikes"].rows, ruled["dislikes"].rows) == (0, 1)
    assert not {"dislikes", "unmet_dislikes"} & checks(plain).keys()
    assert plain["dislikes"].read().schema.names == ["user_key", "track_key"]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("dislikes = { where = 'k = 0', days = 9 }", "`plays.dislikes.days` needs to know when"),
        ("dislikes = 'k = '", "`plays.dislikes.where` cannot be read"),
        ("dislikes = { days = 9 }", "`plays.dislikes.where` is missing"),
        ("dislikes = 3", "`plays.dislikes` must be a table; write { where ="),
        ("at = 'k'\ndislikes = { where = 'k = 0', days = 0 }", "`plays.dislikes.days` must be a"),
        ("dislikes = { if = 'k = 0' }", "there is no field `plays.dislikes.if`"),
        ("dislikes = 'z = 0'", "z"),
    ],
)
def test_mistakes_are_explained_in_a_sentence(tmp_path: Path, field: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, "u,t,k\nx,a,0\n", field + "\n")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
