"""How a run shows in the Prefect UI: what it is called and what its last state says."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.states import Completed

from warehouse.errors import CrossfadeError, GateError

T = TypeVar("T")

REFUSED = "Refused"
"""Name of the last state of a run that the gate refused; its type is FAILED."""

logger = logging.getLogger("crossfade")


def kind_of_run() -> str:
    """Return the deployment's name, or "run" for one that somebody started by hand."""
    return str(runtime.deployment.name or "run")


def starting_name() -> str:
    """Return what a run is called before anything is known of it."""
    return f"{kind_of_run()} · starting"


def rename(*facts: str) -> None:
    """Call the current run by what is known of it so far: ``nightly · 9.7 M plays · …``."""
    with best_effort("the run's name"), get_client(sync_client=True) as client:
        client.update_flow_run(runtime.flow_run.id, name=" · ".join([kind_of_run(), *facts]))


def in_short(number: int) -> str:
    """Return a count as people say it: 962 k, 9.7 M."""
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= limit:
            return f"{number / limit:.3g} {unit}"
    return str(number)


def concluded(work: Callable[[], tuple[T, str]]) -> T:
    """Do a flow's work and end it in a state that says in one sentence what came of it.

    ``work`` returns its value and the sentence. What it raises on purpose becomes the message of
    a failed state, and is raised again for whoever called the flow.
    """
    try:
        value, said = work()
        state: State[object] = Completed(message=said, data=value)
    except CrossfadeError as error:
        name = REFUSED if isinstance(error, GateError) else "Failed"
        state = State(type=StateType.FAILED, name=name, message=str(error), data=error)
    return cast(T, state)  # Prefect hands a returned state's data to the caller


@contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Log instead of failing: what only tells people about a run must not stop it."""
    try:
        yield
    except Exception as error:
        logger.warning("Prefect was not told %s (%s)", what, error)
