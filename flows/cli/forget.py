"""The command that erases listeners."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import DebugOption, HomeOption


def forget(
    file: Annotated[Path, typer.Option("--file", help="Text file with one listener's id per line")],
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Erase listeners from every release, the lake and the records of runs, for ever."""
    from tasks.forgetting.ids import read_ids

    listeners = read_ids(file)
    from flows.cli.display import at_work
    from flows.environment import prepare_process
    from flows.forgetting import begin_forgetting, finish_forgetting
    from flows.run_records import clear_dead, watch_pointer
    from flows.settings import load_settings
    from warehouse.releases.home import Home

    settings = load_settings(home=home)
    kept = Home(settings.home.resolve())
    prepare_process(settings.home, settings.shared)
    watch_pointer(kept)
    clear_dead(kept)
    with (
        at_work("forgetting listeners", (), debug),
        kept.locked("run", "forget", settings.wait_seconds),
    ):
        begin_forgetting(kept, listeners)
        done = finish_forgetting(kept, settings.memory_limit)
    assert done is not None  # begun right before
    known = len(done.listeners.intersection(listeners))
    typer.echo(
        f"{len(listeners):,} listeners are forgotten: {known:,} were known here, "
        f"{len(listeners) - known:,} were not and are left out of later input as well; "
        f"{len(done.rebuilt):,} releases rebuilt"
        + (f", {len(done.deleted):,} deleted that cannot be read" if done.deleted else "")
    )
