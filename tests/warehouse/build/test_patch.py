"""A file made of an earlier one has what a file written as a whole has."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.blend.parameters import HybridParameters
from tests.flows.homes import contents
from tests.warehouse.worlds import World, build_world
from warehouse.build.checks import check_release
from warehouse.build.forgetting import SCHEMA
from warehouse.build.patch import MOST, Earlier
from warehouse.build.writer import BuildInput, build
from warehouse.releases.home import DATABASE, Home

LISTENERS = 60
LISTED = ("tracks", "collaborative", "content", "repeats", "source", "because")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """What is published today."""
    return build_world(tmp_path_factory.mktemp("today"), seed=5, n=40, users=LISTENERS)


def an_earlier_day(world: World, folder: Path, changed: int) -> tuple[BuildInput, Path]:
    """Return what was published before: two listeners less, one who is gone, ``changed`` others."""
    (file,) = world.given.files["listeners"]
    rows = pq.read_table(file).to_pylist()
    one_who_left = {**rows[7], "user_id": "V gone"}
    for row in rows[10 : 10 + changed]:
        row.update({name: row[name][::-1] for name in LISTED})
    rows = [*rows[:3], *rows[4:-1], one_who_left]
    earlier = folder / "listeners.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(file)), earlier)
    files = {**world.given.files, "listeners": [earlier]}
    given = world.given.model_copy(update={"files": files, "release_id": "20250101T000000-test"})
    return given, earlier


def patched(
    world: World, folder: Path, changed: int, given: BuildInput | None = None
) -> tuple[Path, str | None]:
    """Build an earlier day as a whole, and today's file of it."""
    before, lists = an_earlier_day(world, folder, changed)
    home = Home(folder / "home")
    whole = build(home, before, "1GB", 2)
    assert whole.patch_of is None
    earlier = Earlier(before.release_id, whole.folder / DATABASE, (lists,))
    built = build(home, given or world.given, "1GB", 2, earlier)
    return built.folder / DATABASE, built.patch_of


def test_a_patched_file_has_the_same_in_it(world: World, tmp_path: Path) -> None:
    file, patch_of = patched(world, tmp_path, changed=3)
    assert patch_of == "20250101T000000-test"
    found, expected = contents(file, "release"), contents(world.database, "release")
    assert found == expected
    everything = [things(one) for one in (file, world.database)]
    assert everything[0] == everything[1]
    lengths = HybridParameters()
    assert check_release(file, lengths.user_list, lengths.similar_list, "1GB", 2) == []


def things(file: Path) -> list[tuple[object, ...]]:
    """Return what is in a file beside its rows."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(SCHEMA, {"name": file.stem}).fetchall()


def test_rows_that_stay_are_where_they_were(world: World, tmp_path: Path) -> None:
    """Else a lookup would read more and more places."""
    file, _ = patched(world, tmp_path, changed=3)
    with duckdb.connect(str(file), read_only=True) as connection:
        rows = connection.execute("SELECT user_id FROM store.recommendations").fetchnumpy()
    ids = list(dict.fromkeys(rows["user_id"]))
    assert len(ids) == LISTENERS
    written = len(ids) - 5  # two new listeners, three with other lists
    assert ids[:written] == sorted(ids[:written])
    assert ids[written:] == sorted(ids[written:])
    assert np.all(rows["user_id"][:-1] != "V gone")


def test_a_file_is_written_as_a_whole_where_many_lists_differ(world: World, tmp_path: Path) -> None:
    file, patch_of = patched(world, tmp_path, changed=int(LISTENERS * MOST))
    assert patch_of is None
    assert contents(file, "release") == contents(world.database, "release")


def test_a_file_is_written_as_a_whole_where_tracks_are_others(world: World, tmp_path: Path) -> None:
    (file,) = world.given.files["tracks"]
    tracks = pq.read_table(file)
    ids = tracks["track_id"].to_pylist()
    ids[4] += " edited"
    path = tmp_path / "tracks.parquet"
    at = tracks.column_names.index("track_id")
    pq.write_table(tracks.set_column(at, tracks.schema.field(at), pa.array(ids)), path)
    files = {**world.given.files, "tracks": [path]}
    given = world.given.model_copy(update={"files": files})
    assert patched(world, tmp_path, 3, given)[1] is None
