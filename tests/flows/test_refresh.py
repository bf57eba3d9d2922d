"""`crossfade refresh` on a whole home: what moves, what stays, and when it needs a full run."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from flows.decision import recipe_of
from flows.settings import Settings, load_settings
from tasks.refresh.base import find_base
from tasks.refresh.patchable import patchable
from tests.conftest import Published, Sample
from tests.flows.homes import contents, copied
from warehouse.build.patch import Earlier
from warehouse.errors import FullRunNeededError
from warehouse.releases.home import Home
from warehouse.releases.manifest import Manifest
from warehouse.releases.pointer import make_current
from warehouse.releases.release import Release, list_releases

HEADER = "track_id,user_id,playcount\n"


def asked(database: Path, sql: str, *values: object) -> list[tuple[object, ...]]:
    with duckdb.connect(str(database.resolve()), read_only=True) as connection:
        return connection.execute(sql, list(values)).fetchall()


def first_and_second_day(sample: Sample, folder: Path) -> tuple[str, str, list[str]]:
    """Return rows of two days in which a listener and a new one play tracks nobody has played."""
    lines = sample.plays.read_text().splitlines()[1:]
    listener = lines[len(lines) // 2].split(",")[1]
    theirs = {line.split(",")[0] for line in lines if line.split(",")[1] == listener}
    played = {line.split(",")[0] for line in lines}
    others = [track for track in sorted(played) if track not in theirs]
    cold = [
        track
        for line in sample.tracks.read_text().splitlines()[1:]
        if (track := line.split(",")[0]) not in played
    ]
    first = [f"{others[0]},{listener},2\n", f"{others[1]},newcomer,1\n"]
    second = [f"{others[2]},newcomer,5\n", f"{cold[0]},{listener},1\n"]
    folder.mkdir()
    shutil.copy(sample.plays, folder / "history.csv")
    return HEADER + "".join(first), HEADER + "".join(second), [listener, cold[0]]


@pytest.mark.timeout(1200)
def test_two_refreshes_equal_one_and_are_marked_as_such(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    """Whole commands: the steps between stages are what this test is about."""
    plays = tmp_path / "plays"
    first, second, (listener, cold) = first_and_second_day(sample, plays)
    step, once = (copied(published, tmp_path / name) for name in ("step", "once"))
    home = Home(tmp_path / "step" / "home")
    base = contents(home.current.resolve())
    (base_release,) = list_releases(home)
    base_id = base_release.manifest.release_id
    flags = ("--tracks", sample.tracks, "--plays", plays)

    (plays / "day-1.csv").write_text(first)
    done = step("refresh", *flags)
    assert done.returncode == 0, done.stderr
    (plays / "day-2.csv").write_text(second)
    # as if other code had written the base: this one is not made of its file
    made = Home(tmp_path / "once" / "home").releases / base_id
    Manifest.read(made).model_copy(update={"layout": "other"}).write(made)
    for crossfade in (step, once):
        done = crossfade("refresh", *flags)
        assert done.returncode == 0, done.stderr
    assert " published" in done.stdout
    database = home.current
    now = contents(database.resolve())
    assert now | {"release": (0, "")} == contents(
        tmp_path / "once" / "home" / "warehouse" / "current.duckdb"
    ) | {"release": (0, "")}

    for name in ("evaluation", "segment_curve", "feature_weights", "similar_tracks"):
        assert now[name] == base[name], name
    for name in ("users", "listens", "user_recommendations", "tracks"):
        assert now[name] != base[name], name
    lists = "FROM user_recommendations WHERE user_id {} ? ORDER BY ALL"
    where = base_release.database
    assert asked(database, lists.format("="), listener) != asked(where, lists.format("="), listener)
    elsewhere = "FROM user_recommendations WHERE user_id NOT IN (?, 'newcomer') ORDER BY ALL"
    assert asked(database, elsewhere, listener) == asked(where, elsewhere, listener)
    ranked = "SELECT count(*) FROM user_recommendations WHERE user_id = 'newcomer'"
    assert asked(database, ranked) == [(20,)]
    track = "SELECT is_cold, listeners FROM tracks WHERE track_id = ?"
    assert asked(database, track, cold) == [(True, 1)]
    said = "SELECT base_release_id, gate LIKE 'A refresh of %' FROM release"
    assert asked(database, said) == [(base_id, True)]

    releases = list_releases(home)
    assert [one.manifest.base_id for one in releases] == [None, base_id, base_id]
    assert [one.manifest.patch_of for one in releases] == [None, base_id, base_id]
    (_, whole) = list_releases(Home(tmp_path / "once" / "home"))
    assert whole.manifest.patch_of is None
    assert releases[-1].manifest.measured == base_release.manifest.measured
    listed = step("releases").stdout
    assert "refresh of" in listed
    assert listed.count(base_id) == 3

    assert step("rollback", base_id).returncode == 0
    undone = step("refresh", *flags)
    assert "holds the same and was rolled back" in undone.stdout
    assert home.current.readlink().parent.name == base_id


@pytest.fixture
def home(published: Published, tmp_path: Path) -> Home:
    shutil.copytree(published.home, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")


def settings_of(home: Home, sample: Sample, **changed: object) -> Settings:
    return load_settings(tracks=sample.tracks, plays=sample.plays, home=home.path, **changed)


def current(home: Home) -> Release:
    return next(release for release in list_releases(home) if release.is_current)


def _nothing_published(home: Home) -> None:
    home.current.unlink()


def _cut_short(home: Home) -> None:
    with current(home).database.open("r+b") as file:
        file.truncate(4096)


def _without_parts(home: Home) -> None:
    _rewrite(home, parts={})


def _gone(home: Home) -> None:
    shutil.rmtree(home.lake / current(home).manifest.parts["content"].folder)


def _damaged(home: Home) -> None:
    (file, *_) = (home.lake / current(home).manifest.parts["lists"].folder).glob("weights.parquet")
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)


def _other_dataset(home: Home) -> None:
    _rewrite(home, dataset="films")


def _older_code(home: Home) -> None:
    _rewrite(home, recipe={**current(home).manifest.recipe, "the code": "another"})


def _rewrite(home: Home, **changed: object) -> None:
    release = current(home)
    Manifest.model_validate({**release.manifest.model_dump(), **changed}).write(release.folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_nothing_published, "nothing is published"),
        (_cut_short, "is damaged or of another format"),
        (_without_parts, "does not say what it has learned"),
        (_gone, "the result `content` of .* is missing from the lake or damaged"),
        (_damaged, "the result `lists` of .* is missing from the lake or damaged"),
        (_other_dataset, "is of another dataset: films"),
        (_older_code, "the code has changed since .* learned"),
    ],
)
def test_a_full_run_is_needed(
    home: Home, sample: Sample, change: Callable[[Home], None], reason: str
) -> None:
    settings = settings_of(home, sample)
    name, recipe = settings.spec().name, recipe_of(settings)
    assert find_base(home, name, recipe).current == current(home)
    change(home)
    with pytest.raises(FullRunNeededError, match=f"a full run is needed: .*{reason}.*; `crossfade"):
        find_base(home, name, recipe)


def test_a_file_is_made_of_one_of_the_same_code_and_neighbours(home: Home, sample: Sample) -> None:
    settings = settings_of(home, sample)

    def made_of(content: str | None = None, **changed: object) -> Earlier | None:
        _rewrite(home, **changed)
        found = find_base(home, settings.spec().name, recipe_of(settings))
        edges = found.parts["content"]["content"]
        edges = edges.model_copy(update={"digest": content or edges.digest})
        return patchable(home, found, found.parts["lists"], edges)

    earlier, manifest = made_of(), current(home).manifest
    assert earlier is not None
    assert earlier.release_id == manifest.release_id
    assert earlier.database == current(home).database
    assert len(earlier.listeners) > 1
    assert made_of(content="other") is None
    assert made_of(layout="other") is None
    assert made_of(layout=manifest.layout, duckdb_version="1.3.2") is None
    assert made_of(duckdb_version=manifest.duckdb_version) == earlier
    # of a patch, what that was made of
    assert made_of(patch_of=earlier.release_id) is None


def test_other_settings_need_a_full_run_and_say_which(home: Home, sample: Sample) -> None:
    changed = settings_of(home, sample, model="cosine", holdout=0.2)
    said = "`collaborative` of the settings and `evaluation` of the settings have changed"
    with pytest.raises(FullRunNeededError, match=said):
        find_base(home, changed.spec().name, recipe_of(changed))
    # how much is kept, and where the input is, decide nothing
    other = settings_of(home, sample, keep_releases=2, workers=1)
    find_base(home, other.spec().name, recipe_of(other))


def test_after_a_rollback_the_base_is_what_is_current(home: Home, sample: Sample) -> None:
    older = current(home)
    newer = home.releases / "20990101T000000-abcdef"
    shutil.copytree(older.folder, newer)
    facts = {"release_id": newer.name, "parts": {}, "recipe": {}}
    manifest = older.manifest.model_copy(update=facts)
    manifest.write(newer)
    make_current(home, Release(manifest, newer, is_current=False))
    settings = settings_of(home, sample)
    with pytest.raises(FullRunNeededError):
        find_base(home, settings.spec().name, recipe_of(settings))
    make_current(home, older)
    found = find_base(home, settings.spec().name, recipe_of(settings))
    assert found.inherited.base.release_id == older.manifest.release_id


def test_at_a_terminal_a_refresh_that_needs_a_full_run_fails_in_a_sentence(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade = copied(published, tmp_path)
    shutil.rmtree(tmp_path / "home" / "warehouse")
    done = crossfade("refresh", *sample.flags)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("crossfade: a full run is needed: nothing is")
    assert not (tmp_path / "home" / "warehouse" / "current.duckdb").exists()
