"""`crossfade init`: look at files and propose the dataset TOML, or check one."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import DebugOption, HomeOption
from warehouse.errors import InputError


def init(
    files: Annotated[
        list[str] | None, typer.Argument(help="Data files, folders of Parquet, or globs")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The TOML to write")] = Path("dataset.toml"),
    yes: Annotated[bool, typer.Option("--yes", help="Take the best guesses; ask nothing")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing TOML")] = False,
    check: Annotated[
        Path | None, typer.Option("--check", help="Show what an existing TOML reads")
    ] = None,
    home: HomeOption = None,  # noqa: ARG001 - goes with every command
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Look at data files and write the dataset TOML that `crossfade run --dataset` takes."""
    if check is not None and files:
        raise InputError("give either files or --check with a TOML")
    if check is None and not files:
        raise InputError("give the data files: crossfade init tracks.csv plays.csv")
    from flows.cli.propose import propose_dataset, show_check

    if check is not None:
        show_check(check)
    elif files:
        propose_dataset(files, out, yes, force)
