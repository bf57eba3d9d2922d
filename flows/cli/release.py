"""Commands on existing releases: list, roll back, prune, query, explore."""

from importlib.util import find_spec
from typing import Annotated

import typer

from flows.cli.options import (
    DebugOption,
    Format,
    HomeOption,
    ReasonOption,
    UserList,
    home_of,
    reason_for,
)
from warehouse.errors import InputError


def releases(home: HomeOption = None, debug: DebugOption = False) -> None:  # noqa: ARG001
    """List the releases, oldest first."""
    from flows.cli.output import print_releases
    from warehouse.releases.release import list_releases

    print_releases(list_releases(home_of(home)))


def rollback(
    release_id: Annotated[str | None, typer.Argument(help="Release to go back to")] = None,
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


def prune(
    keep: Annotated[int, typer.Option("--keep", min=1, help="Newest releases to keep")],
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Delete old releases, never the current one."""
    from warehouse.releases.retention import prune as delete_old

    gone = delete_old(home_of(home), keep)
    typer.echo(f"{len(gone)} releases deleted" + (": " + ", ".join(gone) if gone else ""))


def recommend(
    user: Annotated[str | None, typer.Option("--user", help="A listener's id")] = None,
    like: Annotated[list[str] | None, typer.Option("--like", help="A liked track; repeat")] = None,
    similar_to: Annotated[str | None, typer.Option("--similar-to", help="A track's id")] = None,
    more: Annotated[list[str] | None, typer.Argument(help="More liked tracks")] = None,
    which: Annotated[
        UserList, typer.Option("--list", help="Which list of the listener")
    ] = UserList.RECOMMENDED,
    trending: Annotated[
        str | None,
        typer.Option("--trending", metavar="SCOPE", help="Rising tracks: all, a genre or a tag"),
    ] = None,
    weight: Annotated[
        float | None, typer.Option(help="Collaborative share, 0 to 1 [default: learned]")
    ] = None,
    k: Annotated[int | None, typer.Option("-k", help="Rows")] = None,
    output: Annotated[Format, typer.Option("--format", help="How to print")] = Format.TABLE,
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Recommend from the current release."""
    from flows.cli.output import print_rows
    from flows.cli.times import asked_list, read_list
    from warehouse.releases.reader import Reader

    asked = [name for name in (user, like, similar_to, trending) if name]
    if len(asked) != 1 or (more and not like):
        raise InputError(
            "give exactly one of --user ID, --like TRACK_ID …, --similar-to TRACK_ID and "
            "--trending SCOPE"
        )
    if trending or which is not UserList.RECOMMENDED:
        timed = asked_list(user, which, trending, weight)
        with Reader(home_of(home).current) as reader:
            print_rows(read_list(reader, timed, k), output)
        return
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
    print_rows(table, output)


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
