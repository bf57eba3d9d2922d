"""Everything a Prefect server has to know of Crossfade: work pool, deployments, alerts.

`python -m flows.deploy` puts it onto the server that PREFECT_API_URL names; it is idempotent.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.environment import prepare_for_server
from flows.server_record import running_server
from flows.settings import AlertParameters, Settings, load_settings
from tasks.lake.code import ROOT
from warehouse.errors import CrossfadeError, RunError

POOL = "crossfade"
REFRESH = "crossfade-refresh/refresh"
"""Flow and name of the deployment whose schedule is a setting."""

DEFINITIONS = ROOT / "prefect.yaml"


SILENT_SECONDS_KEPT = 180.0
"""When a run counts as silent on the server of `make ui`: its runs show life every 30 seconds."""


def deploy(settings: Settings) -> list[str]:
    """Create or update work pool, deployments and automations; return the automations' names."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.workers.process import ProcessWorker

    from flows.alerts import install

    with get_client(sync_client=True) as client:
        template = ProcessWorker.get_default_base_job_template()
        pool = WorkPoolCreate(name=POOL, type="process", base_job_template=template)
        client.create_work_pool(pool, overwrite=True)
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("prefect")),
            *("--no-prompt", "deploy", "--all", "--prefect-file", str(DEFINITIONS)),
        ],
        cwd=ROOT,
        env={"CROSSFADE_PROJECT": str(ROOT), **os.environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RunError(f"the deployments of {DEFINITIONS} were not made: {done.stderr[-800:]}")
    schedule_refreshes(settings.refresh_minutes)
    return install(alerts_of(settings, os.environ.get("PREFECT_API_URL")))


def schedule_refreshes(minutes: int) -> None:
    """Have the refreshes scheduled on the server every that many minutes; 0: never."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.schedules import IntervalSchedule

    every = IntervalSchedule(
        interval=timedelta(minutes=minutes or 1), anchor_date=datetime(2026, 1, 1, tzinfo=UTC)
    )
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name(REFRESH)
        for one in deployment.schedules:
            client.update_deployment_schedule(
                deployment.id, one.id, active=minutes > 0, schedule=every
            )


def alerts_of(settings: Settings, url: str | None) -> AlertParameters:
    """Return when runs on that server count as late or silent: as given, else as it suits it."""
    is_kept = url is not None and url == running_server(Path(os.environ["PREFECT_HOME"]))
    if is_kept and "silent_seconds" not in settings.alerts.model_fields_set:
        return settings.alerts.model_copy(update={"silent_seconds": SILENT_SECONDS_KEPT})
    return settings.alerts


def main() -> None:
    """Deploy onto the server that PREFECT_API_URL names."""
    try:
        settings = load_settings()
        prepare_for_server(settings.home, settings.shared)
        names = deploy(settings)
    except CrossfadeError as error:
        sys.exit(f"crossfade: {error}")
    print("deployed; alerts: " + ", ".join(names))


if __name__ == "__main__":
    main()
