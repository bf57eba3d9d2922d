"""Where a setting comes from, and what is said when it is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.environment import prepare
from flows.settings import load_settings
from warehouse.errors import InputError


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "DASK", "HOLDOUT", "MODEL", "TRACKS", "PLAYS", "DATASET"):
        monkeypatch.delenv(f"CROSSFADE_{name}", raising=False)


def test_flag_then_environment_then_file_then_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().home == Path("data")
    (tmp_path / "crossfade.toml").write_text('home = "from file"\nholdout = 0.02\n')
    assert load_settings().home == Path("from file")
    monkeypatch.setenv("CROSSFADE_HOME", "from environment")
    assert load_settings().home == Path("from environment")
    assert load_settings(home=Path("from flag")).home == Path("from flag")
    assert load_settings(home=None).evaluation.holdout == 0.02


def test_nested_settings_by_file_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crossfade.toml").write_text("[collaborative]\nneighbours = 30\nridge = 7\n")
    monkeypatch.setenv("CROSSFADE_COLLABORATIVE__NEIGHBOURS", "40")
    chosen = load_settings(model="cosine").collaborative
    assert (chosen.model, chosen.neighbours, chosen.ridge) == ("cosine", 40, 7)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"holdout": 0.9}, ["holdout", "CROSSFADE_HOLDOUT"]),
        ({"model": "oracle"}, ["model", "cosine"]),
        ({"memory_limit": "lots"}, ["memory_limit"]),
        ({"colour": "blue"}, ["colour"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_mend(flags: dict[str, object], says: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        load_settings(**flags)
    assert all(word in str(caught.value) for word in says)


def test_a_file_of_settings_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "crossfade.toml").write_text("home = here\n")
    with pytest.raises(InputError, match=r"crossfade\.toml is not valid TOML: .*line 1"):
        load_settings()


def test_the_input_is_called_what_the_user_called_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crossfade.toml").write_text('tracks = "t.csv"\nplays = "p.csv"\n')
    monkeypatch.setenv("CROSSFADE_PLAYS", "q.csv")
    assert load_settings().spec().given_by == ("crossfade.toml: tracks", "CROSSFADE_PLAYS")
    given = load_settings(tracks=Path("t.csv"), plays=Path("r.csv")).spec()
    assert given.given_by == ("--tracks", "--plays")


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=r"file cannot hold the lake .* `--home` or CROSSFADE_HOME"
    ):
        prepare(tmp_path / "file")


def test_an_input_is_asked_for_once() -> None:
    with pytest.raises(InputError, match="--tracks and --plays not given"):
        load_settings().spec()
    with pytest.raises(InputError, match="--plays not given"):
        load_settings(tracks=Path("a.csv")).spec()
    with pytest.raises(InputError, match="one of the two"):
        load_settings(tracks=Path("a.csv"), dataset=Path("b.toml")).spec()


@pytest.mark.parametrize("name", ["home", "tracks", "plays", "dataset"])
def test_a_link_in_a_circle_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "round").symlink_to(tmp_path / "about")
    (tmp_path / "about").symlink_to(tmp_path / "round")
    with pytest.raises(InputError, match=r"round/x is a symbolic link that leads back to itself"):
        load_settings(**{name: tmp_path / "round" / "x"})


@pytest.mark.parametrize("folder", ["what?", "a\\b"])
def test_a_home_that_duckdb_cannot_use_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    with pytest.raises(InputError, match=r"has `.*` in its path, which DuckDB does not take"):
        load_settings(home=tmp_path / folder)
    (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / folder)
    with pytest.raises(InputError, match=r"has `.*` in its path"):
        load_settings()


def test_settings_and_dataset_are_read_once_and_again_when_they_change(tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text(
        '[tracks]\npath = "t.csv"\nid = "i"\n[plays]\npath = "p.csv"\nuser = "u"\ntrack = "i"\n'
    )
    first = load_settings(dataset="d.toml")
    assert load_settings(dataset="d.toml", tracks=None) is first
    assert first.spec() is first.spec()
    assert load_settings() is not first
    (tmp_path / "crossfade.toml").write_text("workers = 1\n")
    assert load_settings(dataset="d.toml").workers == 1
    assert load_settings(dataset="d.toml").spec().plays.count is None
    toml = (tmp_path / "d.toml").read_text()
    (tmp_path / "d.toml").write_text(toml + 'count = "n"\n')
    assert load_settings(dataset="d.toml").spec().plays.count == "n"


def test_settings_are_read_without_numba() -> None:
    """Numba takes the folder of its cache, which is in the home, from when it is imported."""
    script = "import flows.cli, flows.settings, sys; assert 'numba' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
