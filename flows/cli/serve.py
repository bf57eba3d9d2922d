"""The command that serves the current release over HTTP."""

from importlib.util import find_spec
from typing import Annotated

import typer

from flows.cli.options import DebugOption, HomeOption, home_of
from warehouse.errors import InputError

NEEDED = ("fastapi", "uvicorn", "orjson", "prometheus_client")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes that answer")
    ] = None,
    token: Annotated[bool, typer.Option("--token", help="Print the token and end")] = False,
    renew_token: Annotated[
        bool, typer.Option("--renew-token", help="Replace the token, print the new one and end")
    ] = False,
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Serve the current release over HTTP, read-only, to whoever has the token."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise InputError(
            f"serving needs {missing[0]}, which is not installed; add it with "
            "`pip install 'crossfade[serve]'`"
        )
    from flows.settings import load_settings
    from warehouse.serve import access, launch

    found, settings = home_of(home), load_settings(home=home)
    if renew_token:
        access.renew(found)
    if token or renew_token:
        typer.echo(access.token(found))
        return
    given = {"host": host, "port": port, "workers": workers}
    parameters = settings.serve.model_copy(
        update={name: value for name, value in given.items() if value is not None}
    )
    launch.serve(found, parameters, settings.hosts)
