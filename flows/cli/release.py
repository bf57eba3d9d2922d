"""Commands on existing releases: list, roll back, prune, query, explore."""

from importlib.util import find_spec
from typing import Annotated

import typer

from flows.cli.options import DebugOption, Format, HomeOption, ReasonOption, home_of, reason_for
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
    artist: Annotated[str | None, typer.Option("--artist", help="An artist: its tracks")] = None,
    similar_artists: Annotated[
        str | None, typer.Option("--similar-artists", help="An artist: those close to it")
    ] = None,
    artists_for: Annotated[
        str | None, typer.Option("--artists-for", help="A listener's id: artists for them")
    ] = None,
    playlist: Annotated[
        list[str] | None, typer.Option("--continue", help="A track of a playlist to go on with")
    ] = None,
    radio: Annotated[
        list[str] | None, typer.Option("--radio", help="A track that a radio plays around")
    ] = None,
    more: Annotated[
        list[str] | None, typer.Argument(help="More tracks, after --like, --continue or --radio")
    ] = None,
    weight: Annotated[
        float | None, typer.Option(help="Collaborative share, 0 to 1 [default: learned]")
    ] = None,
    k: Annotated[int | None, typer.Option("-k", help="Rows")] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another radio")] = 0,
    output: Annotated[Format, typer.Option("--format", help="How to print")] = Format.TABLE,
    home: HomeOption = None,
    debug: DebugOption = False,  # noqa: ARG001
) -> None:
    """Recommend from the current release."""
    from flows.cli.output import print_rows
    from flows.cli.questions import Question, answer

    given = {
        "recommend_user": user, "recommend_tracks": like, "similar_to": similar_to,
        "artist_tracks": artist, "similar_artists": similar_artists,
        "recommend_artists": artists_for, "continue_playlist": playlist, "radio": radio,
    }  # fmt: skip
    asked = {macro: value for macro, value in given.items() if value}
    if len(asked) != 1 or (more and not isinstance(next(iter(asked.values())), list)):
        raise InputError(
            "give exactly one of --user ID, --like TRACK_ID …, --similar-to TRACK_ID, "
            "--artist NAME, --similar-artists NAME, --artists-for ID, --continue TRACK_ID … and "
            "--radio TRACK_ID …"
        )
    [(macro, value)] = asked.items()
    about = [*value, *(more or [])] if isinstance(value, list) else value
    table, unknown = answer(home_of(home), Question(macro, about, k, weight, seed))
    for message in unknown:
        typer.echo(message, err=True)
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
