"""The command that brings new plays into the lists without learning anew."""

from typing import TYPE_CHECKING, cast

from flows.cli.options import (
    DaskOption,
    DatasetOption,
    DebugOption,
    HomeOption,
    PlaysOption,
    TracksOption,
)
from flows.cli.work import LOOKING, flow_runs, looked_at

if TYPE_CHECKING:
    from flows.outcome import Outcome

REFRESH_STAGES = ("ingest", "frozen", "lists", "build", "publish")
"""The stages of a refresh in their order."""


def refresh(
    tracks: TracksOption = None,
    plays: PlaysOption = None,
    dataset: DatasetOption = None,
    dask: DaskOption = None,
    home: HomeOption = None,
    debug: DebugOption = False,
) -> None:
    """Publish new plays with the models of the current release; nothing is learned."""
    from flows.cli.display import at_work

    with at_work(LOOKING, REFRESH_STAGES, debug) as display:
        given, settings = looked_at(
            "refresh", debug, tracks=tracks, plays=plays, dataset=dataset, dask=dask, home=home
        )
        with flow_runs(display, settings, debug):
            from flows.refresh import refresh as run_flow

            outcome = cast("Outcome", run_flow(**given))  # only a deployment's is skipped
    from flows.cli.output import print_outcome

    print_outcome(outcome, settings.home, force=False)
