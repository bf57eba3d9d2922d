"""Alerts as Prefect automations: failed, refused and late runs, and runs that fell silent.

The server alone watches and fires, so an alert needs no worker. What fired stays on the server as
an event, which `crossfade alerts` lists; a notification block, named and never held here, sends it
on (docs/operations.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.events import EventPage
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, DoNothing, SendNotification
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter
from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ReceivedEvent, ResourceSpecification
from prefect.exceptions import ObjectNotFound

from flows.runs import REFUSED
from flows.settings import AlertParameters
from warehouse.errors import InputError

FLOWS = [
    "crossfade",
    "crossfade-check",
    "crossfade-refresh",
    "crossfade-backtest",
    "crossfade-tune",
]

FAILED, REFUSED_BY_GATE, LATE, STUCK, SILENT = (
    "crossfade: run failed",
    "crossfade: run refused by the gate",
    "crossfade: run is late",
    "crossfade: run never began",
    "crossfade: run fell silent",
)

DEPLOYED: list[ResourceSpecification | dict[str, str | list[str]]] = [
    ResourceSpecification.model_validate(related)
    for related in (
        {"prefect.resource.role": "flow", "prefect.resource.name": FLOWS},
        {"prefect.resource.role": "deployment", "prefect.resource.id": "prefect.deployment.*"},
    )
]
"""What an event has to be related to: one of our flows and a deployment."""

PAGE_SIZE = 50
"""Largest page of events that a Prefect server returns; its client asks for more by default."""

_RUN = "prefect.flow-run."
_UNDER_WAY = ("Pending", "Running", "heartbeat")
_OVER = ("Completed", "Failed", REFUSED, "Crashed", "TimedOut", "Cancelling", "Cancelled")
_PUT_OFF = ("Scheduled", "AwaitingConcurrencySlot", "AwaitingRetry", "Retrying", "Paused")


@dataclass(frozen=True)
class Alert:
    """One alert that fired."""

    at: datetime
    name: str
    run: str
    said: str
    """The message of the run's last state."""


def automations(parameters: AlertParameters, block: UUID | None) -> list[AutomationCore]:
    """Return the five automations; ``block`` is the id of a notification block, if there is one.

    They watch runs of deployments: whoever starts a run at a terminal sees how it ends. Each
    description says whether anyone is notified.
    """
    notify, notified = _notify(block), _notified(parameters.block)
    by_failed = f"The rule `{FAILED}` then sees a crashed run."
    return [
        AutomationCore(
            name=FAILED,
            description=f"A run failed or its process died. {notified}",
            trigger=_seen("Failed", "Crashed", "TimedOut"),
            actions=[notify],
        ),
        AutomationCore(
            name=REFUSED_BY_GATE,
            description=f"A release got worse than the current one: not published. {notified}",
            trigger=_seen(REFUSED),
            actions=[notify],
        ),
        AutomationCore(
            name=LATE,
            description=f"A run did not start; check that a worker is running. {notified}",
            trigger=_missed(("Late",), (*_UNDER_WAY, *_OVER, *_PUT_OFF), parameters.late_seconds),
            actions=[notify],
        ),
        AutomationCore(
            name=STUCK,
            description=f"A worker claimed a run but never started it; it is ended. {by_failed}",
            trigger=_missed(("Pending",), ("Running", *_OVER, *_PUT_OFF), parameters.begin_seconds),
            actions=[_ended("The run was claimed by a worker but never started.")],
        ),
        AutomationCore(
            name=SILENT,
            description=f"A run's process is gone; it is ended and its slot freed. {by_failed}",
            trigger=_missed(
                ("Running", "heartbeat"),
                ("heartbeat", *_OVER, *_PUT_OFF),
                parameters.silent_seconds,
            ),
            actions=[
                _ended("The run's process sent no heartbeat; the next run continues its work.")
            ],
        ),
    ]


def install(parameters: AlertParameters) -> list[str]:
    """Create or update the automations on the server; return their names."""
    with get_client(sync_client=True) as client:
        block = None if parameters.block is None else _block_id(client, parameters.block)
        wanted = automations(parameters, block)
        for automation in wanted:
            present = client.read_automations_by_name(automation.name)
            if present and _is_as(present[0], automation):
                continue  # an update would make the server forget the runs it is waiting for
            if present:
                client.update_automation(present[0].id, automation)
            else:
                client.create_automation(automation)
    return [automation.name for automation in wanted]


def fired(since: timedelta) -> list[Alert]:
    """Return what fired on the server in the time up to now, oldest first."""
    with get_client(sync_client=True) as client:
        names = {
            f"prefect.automation.{automation.id}": automation.name
            for name in (FAILED, REFUSED_BY_GATE, LATE)
            for automation in client.read_automations_by_name(name)
        }
        alerts = []
        for event in _triggered(client, datetime.now(UTC) - since):
            if event.resource.id in names:
                labels = event.payload["triggering_labels"]
                run = _run_of(client, labels["prefect.resource.id"])
                said = (run.state.message or run.state.name or "") if run and run.state else ""
                alerts.append(
                    Alert(event.occurred, names[event.resource.id], run.name if run else "?", said)
                )
    return sorted(alerts, key=lambda alert: alert.at)


def _triggered(client: SyncPrefectClient, since: datetime) -> Iterator[ReceivedEvent]:
    page: EventPage | None = client.read_events(
        EventFilter(
            event=EventNameFilter(name=["prefect.automation.triggered"]),
            occurred=EventOccurredFilter.model_validate({"since": since}),
        ),
        limit=PAGE_SIZE,
    )
    while page is not None:
        yield from page.events
        page = page.get_next_page_sync(client)


def _is_as(present: Automation, wanted: AutomationCore) -> bool:
    fields = present.model_dump(include=set(AutomationCore.model_fields))
    return AutomationCore.model_validate(fields) == wanted


def _notified(block: str | None) -> str:
    """Say in a rule's description who hears of it."""
    if block is None:
        return (
            "Nobody is notified: set `alerts.block` to a notification block. "
            "`crossfade alerts` lists what fired."
        )
    return f"Notifies the block {block}."


def _notify(block: UUID | None) -> ActionTypes:
    if block is None:
        return DoNothing()
    return SendNotification(
        block_document_id=block,
        subject="{{ automation.name }}",
        body=(
            "{{ flow_run.name }} is {{ flow_run.state.name }}: {{ flow_run.state.message }}\n"
            "{{ flow_run|ui_url }}"
        ),
    )


def _ended(message: str) -> ActionTypes:
    return ChangeFlowRunState(name="Crashed", state=StateType.CRASHED, message=message, force=False)


def _seen(*states: str) -> EventTrigger:
    return EventTrigger(
        expect={_RUN + state for state in states},
        match={"prefect.resource.id": _RUN + "*"},
        match_related=DEPLOYED,
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
    )


def _missed(after: tuple[str, ...], expected: tuple[str, ...], seconds: float) -> EventTrigger:
    return EventTrigger(
        after={_RUN + state for state in after},
        expect={_RUN + state for state in expected},
        match={"prefect.resource.id": _RUN + "*"},
        match_related=DEPLOYED,
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(seconds=seconds),
    )


def _block_id(client: SyncPrefectClient, slug: str) -> UUID:
    kind, name = slug.split("/")
    try:
        document = client.read_block_document_by_name(name, kind, include_secrets=False)
    except ObjectNotFound:
        raise InputError(
            f"there is no block {slug} on the Prefect server; create it in the UI under Blocks, "
            "or leave alerts.block away"
        ) from None
    return document.id


def _run_of(client: SyncPrefectClient, resource: str) -> FlowRun | None:
    try:
        return client.read_flow_run(UUID(resource.removeprefix(_RUN)))
    except ObjectNotFound:
        return None
