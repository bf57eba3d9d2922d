"""How a run appears in Prefect: its name, its lines, its last state, also after a signal."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar, cast
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Completed, Crashed

from flows import interrupts
from flows.lines import kind_of_flow, run_name
from flows.run_records import (
    KEPT_DAYS,
    TAG_PREFIX,
    RunRecord,
    at_work,
    clear_dead,
    dead_records,
)
from warehouse.errors import CrossfadeError, GateError
from warehouse.releases.home import Home

T = TypeVar("T")

REFUSED = "Refused"
"""Name of the last state of a run that the gate refused; its type is FAILED."""

PAGE_SIZE = 200
"""Largest page of runs that a Prefect server returns."""

logger = logging.getLogger("crossfade")


def kind_of_run() -> str:
    """Return the deployment's name, or what its flow does for a run from a terminal."""
    return str(runtime.deployment.name or kind_of_flow(runtime.flow_run.flow_name))


def starting_name() -> str:
    """Return a run's name before anything is known about it."""
    return run_name(kind_of_run(), "starting")


def rename(*facts: str) -> None:
    """Name the current run by what is known about it so far: ``nightly · 9.7 M plays · …``."""
    with best_effort("the run's name"), get_client(sync_client=True) as client:
        client.update_flow_run(runtime.flow_run.id, name=run_name(kind_of_run(), *facts))


def concluded(work: Callable[[], tuple[T, str]]) -> T:
    """Do a flow's work and end it in a state whose message is one sentence about the outcome.

    ``work`` returns its value and the sentence. The message of a CrossfadeError
    becomes that of a failed state, and the flow's caller gets the error. A signal ends the run
    Cancelled, or Crashed if it ended a deployment's process without being asked to by Prefect.
    """
    run_id = runtime.flow_run.id
    if not logger.isEnabledFor(logging.INFO):  # as in the process of a deployment's run
        logger.setLevel(logging.INFO)
    with interrupts.watching(), interrupts.last_report(lambda: _report_stop(run_id)):
        try:
            value, said = work()
            interrupts.raise_if_requested()
            state: State[object] = Completed(message=said, data=value)
        except BaseException as error:
            if interrupts.requested():
                state = _stopped(run_id)
            elif isinstance(error, CrossfadeError):
                name = REFUSED if isinstance(error, GateError) else "Failed"
                state = State(type=StateType.FAILED, name=name, message=str(error), data=error)
            else:
                raise
    return cast(T, state)  # Prefect hands a returned state's data to the caller


@contextmanager
def working_in(home: Home, doing: str, wait_seconds: float) -> Iterator[None]:
    """Work in the home as the only run, after clearing what killed runs left, in Prefect too."""
    with at_work(home, doing, wait_seconds, str(runtime.flow_run.id)):
        settle(home)
        yield


def settle(home: Home) -> None:
    """End the flow runs of processes that died in the home, if this server knows them."""
    for path, record in dead_records(home):
        with best_effort("that an earlier run was killed"), get_client(sync_client=True) as client:
            runs = _runs_of(client, record)
            for run in runs:
                if run.state is None or not run.state.is_final():
                    state: State[None] = Crashed(message="the process of this run was killed")
                    client.set_flow_run_state(run.id, state, force=True)
            never_began = record.flow_run_id is None  # it died before its run did anything
            if runs or never_began or time.time() - path.stat().st_mtime > KEPT_DAYS * 86_400:
                path.unlink(missing_ok=True)


def tidy_up(home: Home) -> None:
    """Put a server that was just started in order: nothing of before calls for anybody.

    Runs of killed processes are ended. Runs of a terminal that ended badly keep name and message
    but count as cancelled: whoever started them saw how they ended. Of the runs that were missed
    while nothing ran, each deployment keeps the last one.
    """
    clear_dead(home)
    settle(home)
    with best_effort("of earlier runs"), get_client(sync_client=True) as client:
        for run in _all_runs(client, _ended_badly_at_terminal()):
            if run.state is not None and any(tag.startswith(TAG_PREFIX) for tag in run.tags):
                _cancel(client, run, run.state.name or "Failed", run.state.message or "")
        missed: dict[UUID, FlowRun] = {}
        for run in _all_runs(client, _missed()):
            if not run.auto_scheduled or run.deployment_id is None:
                continue
            earlier = missed.get(run.deployment_id)
            missed[run.deployment_id] = run
            if earlier is not None:
                _cancel(client, earlier, "Missed", "nothing was running at its time")


def _ended_badly_at_terminal() -> FlowRunFilter:
    return FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(is_null_=True),
        state=_of_types(StateType.FAILED, StateType.CRASHED),
    )


def _missed() -> FlowRunFilter:
    before = {"before_": datetime.now(UTC)}
    return FlowRunFilter(
        state=_of_types(StateType.SCHEDULED),
        expected_start_time=FlowRunFilterExpectedStartTime.model_validate(before),
    )


def _of_types(*types: StateType) -> FlowRunFilterState:
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types)))


def _all_runs(client: SyncPrefectClient, runs: FlowRunFilter) -> list[FlowRun]:
    """Return all runs that a filter finds, by their time."""
    found: list[FlowRun] = []
    while page := client.read_flow_runs(
        flow_run_filter=runs,
        sort=FlowRunSort.EXPECTED_START_TIME_ASC,
        limit=PAGE_SIZE,
        offset=len(found),
    ):
        found += page
    return found


def _cancel(client: SyncPrefectClient, run: FlowRun, name: str, message: str) -> None:
    state: State[None] = State(type=StateType.CANCELLED, name=name, message=message)
    client.set_flow_run_state(run.id, state, force=True)


def _runs_of(client: SyncPrefectClient, record: RunRecord) -> list[FlowRun]:
    """Return the flow runs of a process: by its tag, or by their id in a deployment."""
    by_tag = FlowRunFilter(tags=FlowRunFilterTags(all_=[record.tag]))
    runs = client.read_flow_runs(flow_run_filter=by_tag)
    if record.flow_run_id is not None and not runs:
        by_id = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(record.flow_run_id)]))
        runs = client.read_flow_runs(flow_run_filter=by_id)
    return list(runs)


def _stopped(run_id: object) -> State[object]:
    """Return the last state of a run that a signal ended."""
    if runtime.deployment.id is None or _is_being_cancelled(run_id):
        return State(type=StateType.CANCELLED, message=interrupts.sentence())
    return State(type=StateType.CRASHED, message=interrupts.sentence())


def _is_being_cancelled(run_id: object) -> bool:
    """Tell whether somebody asked Prefect to cancel the run, which sends the signal then."""
    with best_effort("of a stop"), get_client(sync_client=True) as client:
        state = client.read_flow_run(UUID(str(run_id))).state
        return state is not None and state.type in (StateType.CANCELLING, StateType.CANCELLED)
    return False


def _report_stop(run_id: object) -> None:
    """Set a run's last state from outside of it: its process is about to be ended by force."""
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(str(run_id)), _stopped(run_id), force=True)


@contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Log instead of failing: reports about a run must not stop it."""
    try:
        yield
    except Exception as error:
        logger.warning("Prefect did not learn %s (%s)", what, error)
