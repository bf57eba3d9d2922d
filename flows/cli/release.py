"""Commands on existing releases: list, roll back, prune, query, explore."""

from importlib.util import find_spec
from typing import Annotated

import typer

from flows.cli.options import DebugOption, Format, HomeOption, ReasonOption, home_of, reason_for
from flows.lines import counted
from warehouse.errors import InputError


def releases(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the manifests as a JSON list")
    ] = False,
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """List the releases, oldest first, a line each; * is the current one."""
    from flows.cli.release_list import print_json, print_releases
    from warehouse.releases.release import list_releases

    found = list_releases(home_of(home))
    if as_json:
        print_json(found)
    else:
        print_releases(found)


def rollback(
    release_id: Annotated[
        str | None,
        typer.Argument(help="Release to go back to", autocompletion=lambda: release_ids()),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take even a release that the gate refused")
    ] = False,
    reason: ReasonOption = None,
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Make an earlier release current: the named one, else the one before the current."""
    from flows.override import override_by_operator
    from warehouse.releases.pointer import rollback as roll_back

    because = reason_for(force, reason)
    override = override_by_operator(because) if force else None
    release = roll_back(home_of(home), release_id, force, override)
    typer.echo(f"{release.manifest.release_id} is current")


def release_ids() -> list[str]:
    """Return the releases of the configured home, for the shell to complete."""
    from flows.settings import load_settings
    from warehouse.releases.home import Home
    from warehouse.releases.release import list_releases

    home = Home(load_settings().home)
    return [release.manifest.release_id for release in list_releases(home)]


def prune(
    keep: Annotated[int, typer.Option("--keep", min=1, help="Newest releases to keep")],
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Delete old releases, never the current one."""
    from warehouse.releases.retention import prune as delete_old

    gone = delete_old(home_of(home), keep)
    typer.echo(
        f"{counted(len(gone), 'release')} deleted: {', '.join(gone)}"
        if gone
        else "nothing to delete"
    )


def recommend(
    user: Annotated[str | None, typer.Option("--user", help="For a listener, by id")] = None,
    like: Annotated[
        list[str] | None,
        typer.Option("--like", help="For whoever likes these tracks, by id; more ids may follow"),
    ] = None,
    similar_to: Annotated[
        str | None, typer.Option("--similar-to", help="Neighbours of a track, by id")
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(help="More tracks for --like")] = None,
    weight: Annotated[
        float | None, typer.Option(help="Collaborative share: 0 is content only, 1 none of it")
    ] = None,
    k: Annotated[int | None, typer.Option("-k", help="Rows")] = None,
    output: Annotated[Format, typer.Option("--format", help="How to print")] = Format.TABLE,
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Recommend from the current release: give one of --user, --like and --similar-to."""
    from flows.cli.output import print_rows
    from warehouse.releases.reader import Reader

    asked = [name for name in (user, like, similar_to) if name]
    if len(asked) != 1 or (more and not like):
        raise InputError(
            "give exactly one of --user ID, --like TRACK_ID … and --similar-to TRACK_ID"
        )
    call, subject = "recommend_user", user or similar_to or ""
    argument: str | list[str] = subject
    if like:
        call, argument = "recommend_tracks", [*like, *(more or [])]
    elif similar_to:
        call = "similar_to"
    asked_for = [subject] if subject else list(argument)
    with Reader(home_of(home).current) as reader:
        table = reader.query(f"FROM {call}(?, k := ?, weight := ?)", [argument, k, weight])
        relation, column = ("users", "user_id") if user else ("tracks", "track_id")
        found = reader.rows(
            f"SELECT {column} AS id FROM {relation} "
            f"WHERE {column} IN (SELECT unnest(?::VARCHAR[]))",
            [asked_for],
        )
        for unknown in sorted(set(asked_for) - {row["id"] for row in found}):
            typer.echo(f"no {column} {unknown!r} in this release", err=True)
        print_rows(table, output, reader, "played" if user else "liked" if like else "")


def explore(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on")] = 8501,
    host: Annotated[str, typer.Option(help="Address to serve on")] = "127.0.0.1",
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser window")
    ] = False,
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Explore the current release in a browser."""
    if find_spec("streamlit") is None:
        raise InputError(
            "the explorer needs streamlit, which is not installed; add it with "
            "`pip install 'crossfade[explorer]'`"
        )
    from flows.settings import load_settings
    from warehouse.explorer.launch import launch

    launch(home_of(home), port, host, browser, load_settings(home=home).hosts)
