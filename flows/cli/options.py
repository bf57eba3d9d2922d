"""Options that several commands take, and how they are passed on."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from warehouse.errors import InputError
from warehouse.releases.home import Home


class UserList(StrEnum):
    """Which list of a listener."""

    RECOMMENDED = "recommended"
    ON_REPEAT = "on-repeat"
    REDISCOVER = "rediscover"
    NEW = "new"


class Format(StrEnum):
    """Output formats of `crossfade recommend`."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of lake and warehouse [default: data]")
]
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
    typer.Option("--model", help="Collaborative model", autocompletion=lambda: model_names()),
]
HoldoutOption = Annotated[
    float | None, typer.Option("--holdout", help="Share of listeners kept out to measure on")
]
DaskOption = Annotated[
    str | None, typer.Option("--dask", help="Address of an existing Dask scheduler, tcp://…")
]

ReasonOption = Annotated[
    str | None,
    typer.Option("--reason", help="Why it is forced, for the release to keep [default: asked]"),
]


def model_names() -> list[str]:
    """Return the names of all models, those of other packages too."""
    from tasks.collaborative.models import registry

    return list(registry.model_names())


class CommandWithModels(TyperCommand):
    """A command whose help names the models there are, looked up when it is asked for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # of the click inside typer
        """Write the help."""
        for one in self.params:
            if one.name == "model" and isinstance(one, TyperOption):
                one.help = ", ".join(model_names())
        super().format_help(ctx, formatter)


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
