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
    keep: Annotated[
        int,
        typer.Option("--keep", min=1, help="Newest releases of full runs to keep, and refreshes"),
    ],
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Delete old releases, never the current one and its base."""
    from warehouse.releases.retention import prune as delete_old

    gone = delete_old(home_of(home), keep)
    typer.echo(
        f"{counted(len(gone), 'release')} deleted: {', '.join(gone)}"
        if gone
        else "nothing to delete"
    )


def recommend(
    user: Annotated[str | None, typer.Option("--user", help="For a listener, by id")] = None,
    which: Annotated[
        UserList, typer.Option("--list", help="Which list of the listener")
    ] = UserList.RECOMMENDED,
    like: Annotated[
        list[str] | None,
        typer.Option("--like", help="For whoever likes these tracks, by id; more ids may follow"),
    ] = None,
    similar_to: Annotated[
        str | None, typer.Option("--similar-to", help="Neighbours of a track, by id")
    ] = None,
    trending: Annotated[
        str | None,
        typer.Option("--trending", metavar="SCOPE", help="Rising tracks: all, a genre or a tag"),
    ] = None,
    artist: Annotated[
        str | None, typer.Option("--artist", help="Tracks of an artist, by name")
    ] = None,
    similar_artists: Annotated[
        str | None, typer.Option("--similar-artists", help="Artists close to one, by name")
    ] = None,
    artists_for: Annotated[
        str | None, typer.Option("--artists-for", help="Artists for a listener, by id")
    ] = None,
    playlist: Annotated[
        list[str] | None,
        typer.Option("--continue", help="What goes on with a playlist, by its tracks' ids"),
    ] = None,
    radio: Annotated[
        list[str] | None, typer.Option("--radio", help="A radio around tracks, by id")
    ] = None,
    more: Annotated[
        list[str] | None, typer.Argument(help="More tracks, for --like, --continue and --radio")
    ] = None,
    weight: Annotated[
        float | None, typer.Option(help="Collaborative share: 0 is content only, 1 none of it")
    ] = None,
    k: Annotated[int | None, typer.Option("-k", help="Rows")] = None,
    diversity: Annotated[
        float,
        typer.Option(min=0, max=1, help="With --user or --like: rows unlike each other, up to 1"),
    ] = 0,
    calibrated: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="With --user or --like: genres in the shares of the history, up to 1"
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Another seed, another radio")] = 0,
    output: Annotated[Format, typer.Option("--format", help="How to print")] = Format.TABLE,
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Recommend from the current release: give one option that says for whom or about what."""
    from flows.cli.output import print_rows
    from flows.cli.questions import ask, question
    from warehouse.releases.reader import Reader

    asked = question(
        {
            which.macro: user, "recommend_tracks": like, "similar_to": similar_to,
            "trending": trending, "artist_tracks": artist, "similar_artists": similar_artists,
            "recommend_artists": artists_for, "continue_playlist": playlist, "radio": radio,
        },
        more or [], k, weight, seed, diversity, calibrated,
    )  # fmt: skip
    if which is not UserList.RECOMMENDED and asked.macro != which.macro:
        raise InputError(f"--list {which.value} is a listener's: name one by --user ID")
    with Reader(home_of(home).current) as reader:
        table, unknown = ask(reader, asked)
        for message in unknown:
            typer.echo(message, err=True)
        print_rows(table, output, reader, asked.did)


def explore(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on")] = 8501,
    host: Annotated[str, typer.Option(help="Address to serve on")] = "127.0.0.1",
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser window")
    ] = False,
    covers: Annotated[
        bool | None,
        typer.Option(
            "--covers/--no-covers",
            help="Show the catalogue's pictures, fetched from other hosts",
        ),
    ] = None,
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

    settings = load_settings(home=home, covers=covers)
    launch(home_of(home), port, host, browser, settings.hosts, settings.covers)
