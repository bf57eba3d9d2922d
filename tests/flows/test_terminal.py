"""What commands print: at a terminal of 80 columns, and into a file."""

import fcntl
import io
import json
import logging
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from flows.cli import app
from flows.cli.console import LogToConsole, say
from flows.cli.display import RUN_STAGES, Display
from flows.cli.release_list import print_releases
from flows.decision import FILE
from flows.lines import (
    Pace,
    counts_in_words,
    duration,
    kind_of_flow,
    log_feedback,
    log_force_not_needed,
)
from flows.settings import Settings
from tasks.lake.record import StageResult
from tests.conftest import BIN, CommandLine, Published, Sample
from tests.flows.homes import copied
from warehouse.releases.home import Home
from warehouse.releases.manifest import Override
from warehouse.releases.reader import Reader
from warehouse.releases.release import Release, list_releases

COLUMNS = 80
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
LOG_LINE = re.compile(r"\[\d\d:\d\d:\d\d\] \S.*")


def at_terminal(crossfade: CommandLine, *arguments: str | Path) -> str:
    """Run a command in a terminal of 80 columns; return what it wrote there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "TERM")}
    process = subprocess.Popen(
        [BIN / "crossfade", *map(str, arguments)],
        cwd=crossfade.cwd,
        env={**clean, **crossfade.environment, "TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    written = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(master)
    assert process.wait() == 0, written.decode()
    return written.decode().replace("\r\n", "\n")


def fits(line: str) -> bool:
    """Tell whether a line is no wider than the terminal, a single word, or to be pasted."""
    if " recommend --user=" in line:
        return True
    return len(line) <= COLUMNS or len(re.sub(r"^\[[\d:]+\]", "", line).split()) == 1


@pytest.mark.timeout(1200)
def test_a_run_shows_its_stages_and_breaks_no_word(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    """A full run, all of whose stages are in the lake."""
    crossfade = copied(published, tmp_path)
    (tmp_path / "home" / FILE).unlink()
    written = at_terminal(crossfade, "run", *sample.flags)
    assert written.startswith("\x1b[?25l")  # the display, before anything was logged
    assert "starting Prefect and Dask" in written
    assert "then holdout, choice, collaborative" in written
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")  # the cursor is back
    shown = ESCAPES.sub("", written).replace("\r", "\n")
    logged = [line for line in shown.splitlines() if LOG_LINE.fullmatch(line)]
    assert len(logged) > 5
    assert [line for line in shown.splitlines() if not fits(line.rstrip())] == []
    database = (tmp_path / "home" / "warehouse" / "current.duckdb").resolve()
    assert len(str(database)) > COLUMNS
    assert str(database) in shown
    assert "because you played" in " ".join(shown.split())


def test_a_file_gets_plain_lines(published: Published, sample: Sample, tmp_path: Path) -> None:
    done = copied(published, tmp_path)("run", *sample.flags)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) > 5
    assert [line for line in lines if not LOG_LINE.fullmatch(line)] == []
    assert lines[0].endswith("] looking at the settings and the input")
    assert re.search(r"run: Music Info.csv, User Listening History.csv \(\d", lines[1])
    assert not re.search(r"[a-z] 0[,)]", done.stderr)
    (command,) = [line for line in done.stdout.splitlines() if " recommend --user" in line]
    assert f"--home {tmp_path / 'home'}" in command
    pasted = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert pasted.returncode == 0, pasted.stderr
    assert "because you played" in pasted.stdout


def test_the_first_line_comes_before_anything_that_takes_long_is_imported(
    published: Published, sample: Sample, tmp_path: Path
) -> None:
    crossfade = copied(published, tmp_path)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "flows.cli", "run", *sample.flags],
        cwd=tmp_path, env={**os.environ, **crossfade.environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    first = next(number for number, line in enumerate(lines) if LOG_LINE.fullmatch(line))
    imported = set(re.findall(r"\| +([a-z_]+)$", "\n".join(lines[:first]), re.MULTILINE))
    heavy = {"prefect", "dask", "distributed", "sklearn", "numba", "pandas", "scipy", "duckdb",
             "numpy", "pyarrow"}  # fmt: skip
    assert imported & heavy == set()
    assert "typer" in imported


def test_help_imports_nothing_that_takes_long() -> None:
    script = "import sys; from flows.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=True
    )
    heavy = {"rich", "pydantic", "numpy", "importlib.metadata", "prefect"}
    assert "refresh" in done.stdout
    assert set(done.stdout.splitlines()[-1].split()) & heavy == set()


@given(st.lists(st.text("abc/.-_é 中", min_size=1, max_size=120), min_size=1, max_size=12))
def test_a_text_is_broken_between_words_only(words: list[str]) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=40, color_system=None)
    text = " ".join(" ".join(words).split())
    say(console, text, "[12:00:00] ")
    lines = screen.getvalue().splitlines()
    assert " ".join(screen.getvalue().split()) == f"[12:00:00] {text}".strip()
    assert all(len(line) <= 40 or len(line[11:].split()) == 1 for line in lines)
    assert all(line.startswith(" " * 11) for line in lines[1:] if line)


def test_only_what_stands_before_a_text_is_dim() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=40, color_system="standard")
    say(console, "a text", "[12:00:00] ")
    assert screen.getvalue() == "\x1b[2m[12:00:00] \x1b[0ma text\n"


def test_a_reader_that_has_enough_ends_a_command_quietly(
    published: Published, tmp_path: Path
) -> None:
    command = f"{BIN / 'crossfade'} releases --json --home {published.home} | true"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_a_file_gets_each_text_on_one_line() -> None:
    file = io.StringIO()
    say(Console(file=file, width=40), "word " * 40, "[12:00:00] ")
    assert file.getvalue().count("\n") == 1


@pytest.mark.parametrize("debug", [False, True])
def test_a_warning_is_marked_and_a_traceback_is_for_debugging(debug: bool) -> None:
    file = io.StringIO()
    handler = LogToConsole(Console(file=file), debug)
    logger = logging.Logger("apart")
    logger.addHandler(handler)
    try:
        raise OSError("no disk")
    except OSError:
        logger.exception("feedback: it cannot be read")
    logger.warning("gate: [bold]recall fell[/bold]")
    said = file.getvalue()
    assert "ERROR: feedback: it cannot be read" in said
    assert "WARNING: gate: [bold]recall fell[/bold]" in said
    assert ("Traceback" in said) == debug


def test_the_display_says_what_is_done_how_far_and_what_follows() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=COLUMNS, color_system=None)

    def drawn() -> str:
        screen.truncate(0)
        console.print(display._drawn())
        return " ".join(screen.getvalue().split())

    display = Display(console, "looking at the input", RUN_STAGES)
    assert "looking at the input" in drawn()
    display.begun("collaborative_hidden")
    display.begun("content")
    display.moved("content", 16, 64)
    shown = drawn()
    assert "16 of 64" in shown
    assert "then evaluation, lists, gate, build, publish" in shown
    assert "looking" not in shown
    display.ended("content")
    display.ended("collaborative_hidden")
    assert "content" not in drawn()


def test_what_is_left_goes_by_the_speed_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("flows.lines.time.monotonic", lambda: now)
    pace = Pace()
    assert pace.words(now) == ""
    pace.update(20, 100)  # blocks of a run before this one
    assert pace.words(now) == "20 of 100"
    now = 110.0
    pace.update(40, 100)
    assert pace.seconds_left(110.0) == 60 * 10 / 20
    assert pace.words(115.0) == "40 of 100, about 25 s left"
    assert [duration(one) for one in (0.4, 59, 60, 61, 3600, 3725)] == [
        "0 s", "59 s", "1 min", "1 min 1 s", "1 h", "1 h 2 min",
    ]  # fmt: skip


def test_counts_of_nothing_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    counts: dict[str, int | float | str] = {"tracks": 50_683, "rejected_rows": 0, "share": 0.05}
    result = StageResult(stage="s", key="k", datasets={}, counts=counts, seconds=1.0)
    assert counts_in_words(result) == "tracks 50,683, share 0.05"
    assert counts_in_words(result.model_copy(update={"counts": {"rows": 0}})) == ""
    with caplog.at_level(logging.INFO, "crossfade"):
        log_feedback(1_200, 0, ())
        log_feedback(1, 1, ())
        log_feedback(0, 0, ())
    assert caplog.messages == [
        "feedback: 1,200 files", "feedback: 1 file, 1 of them new", "feedback: no files",
    ]  # fmt: skip


def test_force_says_what_it_did_where_the_gate_passes(
    published: Published, caplog: pytest.LogCaptureFixture
) -> None:
    (undone,) = list_releases(Home(published.home))
    with caplog.at_level(logging.INFO, "crossfade"):
        log_force_not_needed(None)
        log_force_not_needed(undone)
    assert caplog.messages == [
        "publish: --force was not needed, the gate passes the release",
        f"publish: by force: {undone.manifest.release_id} holds the same and was rolled back",
    ]


def test_a_run_is_called_by_what_its_flow_does() -> None:
    flows = ("crossfade", "crossfade-check", "crossfade-backtest", "crossfade-tune")
    assert [kind_of_flow(flow) for flow in flows] == ["run", "check", "backtest", "tune"]


def _with_a_forced_one(published: Published, folder: Path) -> Home:
    """Return a home with the published release and one that was forced, for a long reason."""
    crossfade = copied(published, folder)
    home = Home(crossfade.cwd / "home")
    (release,) = list_releases(home)
    forced = release.manifest.model_copy(
        update={
            "release_id": "20990101T000000-000000",
            "status": "forced",
            "reason": "recall@20 fell from 0.3100 to 0.2800, more than the limit; " * 3,
            "override": Override(by="ann", because="rights", at=release.manifest.created_at),
        }
    )
    (home.releases / forced.release_id).mkdir()
    forced.write(home.releases / forced.release_id)
    return home


def test_each_release_is_a_line(published: Published, tmp_path: Path) -> None:
    home = _with_a_forced_one(published, tmp_path)
    crossfade = CommandLine(tmp_path, {"CROSSFADE_HOME": str(home.path)})
    shown = ESCAPES.sub("", at_terminal(crossfade, "releases")).splitlines()
    assert shown[0].split()[:2] == ["release", "status"]
    assert shown[1].startswith(f"* {published.database.readlink().parent.name}  published")
    assert shown[2].startswith("  20990101T000000-000000  forced")
    assert len(shown) == 4
    assert "--json" in shown[3]
    assert max(map(len, shown)) <= COLUMNS
    plain = crossfade.here("releases").stdout.splitlines()
    assert len(plain) == 3
    assert "by ann: rights; recall@20 fell from 0.3100 to 0.2800" in plain[2]


def test_releases_as_json(published: Published, tmp_path: Path) -> None:
    home = _with_a_forced_one(published, tmp_path)
    done = CommandLine(tmp_path, {"CROSSFADE_HOME": str(home.path)}).here("releases", "--json")
    first, second = json.loads(done.stdout)
    assert (first["is_current"], first["status"]) == (True, "published")
    assert Path(first["database"]).is_file()
    assert second["override"]["because"] == "rights"
    empty = CommandLine(tmp_path, {"CROSSFADE_HOME": str(tmp_path / "new")})
    assert json.loads(empty.here("releases", "--json").stdout) == []
    assert "no releases yet" in empty.here("releases").stderr


def test_no_releases(capsys: pytest.CaptureFixture[str]) -> None:
    nothing: list[Release] = []
    print_releases(nothing)
    assert "no releases yet" in capsys.readouterr().err


def test_a_table_of_recommendations_says_why(published: Published) -> None:
    with Reader(published.database) as reader:
        (one,) = reader.rows(
            "SELECT user_id FROM users WHERE tracks_played >= 5 ORDER BY user_id LIMIT 1"
        )
        rows = reader.rows("FROM recommend_user(?, k := 5)", [one["user_id"]])
        names = {row["track_id"]: row["name"] for row in reader.rows("FROM tracks")}
    done = published.crossfade.here("recommend", "--user", one["user_id"], "-k", "5")
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * len(rows)
    for row, line, why in zip(rows, lines[::2], lines[1::2], strict=True):
        assert line.split()[:3] == [str(row["rank"]), f"{row['score']:.4f}", row["track_id"]]
        assert row["artist"] in line
        if row["because_track_id"]:
            assert f"because you played {names[row['because_track_id']]}: " in why
        by_plays = row["source"] in ("hybrid", "collaborative")
        assert ("played by the same people" in why) == by_plays
    liked = published.crossfade.here("recommend", "--like", rows[0]["track_id"], "-k", "1")
    assert f"because you liked {rows[0]['name']}: " in liked.stdout
    similar = published.crossfade.here("recommend", "--similar-to", rows[0]["track_id"])
    assert "because" not in similar.stdout
    unknown = published.crossfade.here("recommend", "--user", "nobody", "-k", "1")
    assert "popular with all listeners" in unknown.stdout


def test_the_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"crossfade {version('crossfade')}\n")


def test_the_shell_completes_models_and_releases(published: Published) -> None:
    script = subprocess.run(
        [BIN / "crossfade", "--show-completion", "bash"],
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "_CROSSFADE_COMPLETE=complete_bash" in script.stdout

    def completed(words: str) -> list[str]:
        asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()))}
        home = {"CROSSFADE_HOME": str(published.home)}
        done = subprocess.run(
            [BIN / "crossfade"],
            env={**os.environ, **asked, **home, "_CROSSFADE_COMPLETE": "complete_bash"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout.split()

    assert {"learned", "cosine"} <= set(completed("crossfade run --model "))
    assert completed("crossfade rollback ") == [published.database.readlink().parent.name]


NO_DEFAULT = {
    "user", "like", "similar_to", "more", "trending", "artist", "similar_artists", "artists_for",
    "playlist", "radio", "check", "files", "file", "version",
}  # fmt: skip
"""What names the subject of a command."""


def _entries(shown: str) -> list[str]:
    """Return what help says about each option and argument, in a line."""
    return [" ".join(one.split()) for one in re.split(r"\n(?=  \S)", shown)]


def test_help_shows_the_default_of_every_option() -> None:
    root = typer.main.get_command(app)
    checked = 0
    for name, command in getattr(root, "commands").items():  # noqa: B009 - of the click inside typer
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "400"}).stdout
        for option in command.params:
            is_flag = getattr(option, "is_flag", False) and not option.secondary_opts
            if is_flag or option.required or option.name in NO_DEFAULT | {"help"}:
                continue
            mark = option.opts[0] if option.opts[0].startswith("-") else option.name
            (entry,) = [one for one in _entries(shown) if re.match(rf"(-\w, )?\[?{mark}\b", one)]
            assert "[default: " in entry, (name, mark)
            checked += 1
    assert checked > 30
    assert str(Settings.model_fields["home"].default) in shown
