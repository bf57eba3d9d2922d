"""Alerts on a real server: deployments alone raise them, and each rule says who is notified."""

import time
from datetime import timedelta

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Failed

from flows.alerts import FAILED, SILENT, STUCK, automations, fired, install
from flows.settings import AlertParameters


@pytest.mark.timeout(1200)
def test_a_failure_at_a_terminal_raises_no_alert(prefect_server: dict[str, str]) -> None:
    api = prefect_server["PREFECT_API_URL"]
    with temporary_settings({PREFECT_API_URL: api}):
        names = install(AlertParameters())
        with get_client(sync_client=True) as client:
            flow = client.create_flow_from_name("crossfade")
            deployment = client.create_deployment(flow_id=flow, name="nightly")
            created = {"flow_id": str(flow), "name": "at a terminal"}
            at_terminal = client.request("POST", "/flow_runs/", json=created).json()["id"]
            deployed = client.create_flow_run_from_deployment(deployment, name="deployed")
            for run_id in (at_terminal, deployed.id):
                client.set_flow_run_state(run_id, Failed(message="on purpose"), force=True)
        deadline = time.monotonic() + 200
        while not (seen := fired(timedelta(hours=1))):
            assert time.monotonic() < deadline, "no alert fired"
            time.sleep(1)
        time.sleep(3)  # for the one that must not come
        assert [(one.name, one.run, one.said) for one in fired(timedelta(hours=1))] == [
            (FAILED, "deployed", "on purpose")
        ], seen
    rules = httpx.post(f"{api}/automations/filter", json={}, timeout=30).json()
    described = {rule["name"]: rule["description"] for rule in rules if rule["name"] in names}
    assert len(described) == 5
    assert all("Nobody is notified" in described[name] for name in names if name not in ENDING)


ENDING = (STUCK, SILENT)
"""Rules that end a run, which the rule for failed runs then sees."""


def test_a_rule_says_which_block_it_notifies() -> None:
    parameters = AlertParameters(block="slack-webhook/on-call")
    for rule in automations(parameters, None):
        said = rule.description
        if rule.name in ENDING:
            assert f"`{FAILED}`" in said
        else:
            assert said.endswith("Notifies the block slack-webhook/on-call.")
