"""Options that several commands take, and how they are passed on."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from warehouse.errors import InputError
from warehouse.releases.home import Home


class UserList(StrEnum):
    """Which list of a listener."""

    RECOMMENDED = "recommended"
    ON_REPEAT = "on-repeat"
    REDISCOVER = "rediscover"
    NEW = "new"

    @property
    def macro(self) -> str:
        """The macro of the release that answers."""
        return {
            UserList.RECOMMENDED: "recommend_user",
            UserList.ON_REPEAT: "on_repeat",
            UserList.REDISCOVER: "rediscover",
            UserList.NEW: "new_for_user",
        }[self]


class Format(StrEnum):
    """Output formats of `crossfade recommend`."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


HomeOption = Annotated[Path | None, typer.Option("--home", help="Folder of lake and warehouse")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show tracebacks and every log line")]
TracksOption = Annotated[
    Path | None, typer.Option("--tracks", help="CSV of the catalogue (Kaggle schema)")
]
PlaysOption = Annotated[
    Path | None, typer.Option("--plays", help="CSV of the listening history (Kaggle schema)")
]
DatasetOption = Annotated[
    Path | None, typer.Option("--dataset", help="TOML that describes any other dataset")
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Collaborative model",  # `Command` adds which there are
        autocompletion=lambda: [AUTO, *model_names()],
    ),
]
HoldoutOption = Annotated[
    float | None, typer.Option("--holdout", help="Share of listeners kept out to measure on")
]
TuneSecondsOption = Annotated[
    float | None,
    typer.Option("--tune-seconds", min=0, help="What choosing the parameters may take"),
]
DaskOption = Annotated[
    str | None, typer.Option("--dask", help="Address of an existing Dask scheduler, tcp://…")
]

ReasonOption = Annotated[
    str | None, typer.Option("--reason", help="Why it is forced, for the release to keep")
]


AUTO = "auto"
"""Which model has its parameters chosen by the run; the table of settings knows it too."""


def model_names() -> list[str]:
    """Return the names of all models, those of other packages too."""
    from tasks.collaborative.models import registry

    return list(registry.model_names())


class Command(TyperCommand):
    """A command whose help names the default of every option that has one.

    What is in settings, and the models there are, is looked up when help is asked for.
    """

    def format_help(self, ctx: Any, formatter: Any) -> None:  # of the click inside typer
        """Write the help."""
        values = _defaults(self.name or "")
        for one in self.params:
            if not isinstance(one, TyperOption | TyperArgument) or one.name not in values:
                continue
            if one.name == "model":
                one.help = f"{one.help}: {', '.join([AUTO, *model_names()])}"
            if one.default is None:
                one.show_default = True
                # in brackets: words about the default, for one that is no value
                if isinstance(value := values[one.name], Words):
                    one.show_default = value
                else:
                    one.default = value
        super().format_help(ctx, formatter)


class Commands(TyperGroup):
    """All commands; the list in its help has the whole first sentence of each."""

    def format_commands(self, _ctx: Any, formatter: Any) -> None:  # of the click inside typer
        """Write the list of commands."""
        whole = 1_000
        rows = [(name, one.get_short_help_str(whole)) for name, one in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Words(str):
    """Words about a default that is no value."""

    __slots__ = ()


def _defaults(command: str) -> dict[str, Any]:
    """Return what counts where an option is not given, by the option's name."""
    from flows.settings import Settings
    from tasks.collaborative.parameters import CollaborativeParameters
    from tasks.evaluation.parameters import EvaluationParameters
    from tasks.tuning.parameters import TuneParameters
    from warehouse.serve.parameters import ServeParameters

    served = ServeParameters()
    inputs = Words("as in crossfade.toml")
    return {
        "home": Settings.model_fields["home"].default,
        **dict.fromkeys(("tracks", "plays", "dataset"), inputs),
        "model": CollaborativeParameters().model,
        "holdout": EvaluationParameters().holdout,
        "tune_seconds": (
            Words("3600") if command == "tune" else Words(f"{TuneParameters().seconds:g}")
        ),
        "dask": Words("workers of its own"),
        "reason": Words("asked for at a terminal"),
        "out": Words("no files"),
        "release_id": Words("the one before the current"),
        "weight": Words("as learned for such a history"),
        "k": Words("20; 10 for similar tracks and artists, 50 for a radio"),
        "recency": Words("no times"),
        "covers": Settings.model_fields["covers"].default,
        **({"host": served.host, "port": served.port} if command == "serve" else {}),
        "workers": Words("one per processor"),
    }


def reason_for(force: bool, reason: str | None) -> str | None:
    """Return why something is forced: what was given, else what a terminal's user answers.

    Raises InputError for a reason without ``force``.
    """
    if not force:
        if reason is not None:
            raise InputError("--reason is for --force; give both, or neither")
        return None
    if reason is None and sys.stdin.isatty():
        return str(typer.prompt("Why is it forced? The release keeps the answer"))
    return reason


def as_text(**values: Any) -> dict[str, Any]:
    """Return options as flows take them: paths as text."""
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in values.items()
    }


def home_of(home: Path | None) -> Home:
    """Return the folder of lake and warehouse: the given one, else the one of the settings.

    What a killed run left in it is gone then.
    """
    from flows.run_records import clear_dead, watch_pointer
    from flows.settings import load_settings

    found = Home(load_settings(home=home).home.resolve())
    watch_pointer(found)
    clear_dead(found)
    return found
