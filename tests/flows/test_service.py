"""`make ui` meets what is there already: somebody else's port, its own server on other inputs."""

import json
import re
import socket
from importlib import import_module
from pathlib import Path

import pytest

from flows.alerts import FLOWS
from flows.deploy import DEFINITIONS, SILENT_SECONDS_KEPT, alerts_of
from flows.server_record import RECORD, at_work
from flows.service import start
from flows.settings import AlertParameters, Settings
from warehouse.errors import RunError


@pytest.fixture
def prefect_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setenv("CROSSFADE_TRACKS", "songs.csv")
    return tmp_path


def test_a_port_that_somebody_listens_on_is_left_to_them(prefect_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        with pytest.raises(RunError, match=f"port {port} is taken; give another one by `make ui"):
            start(port)
    assert list(prefect_home.iterdir()) == []


def test_what_runs_on_other_inputs_is_not_called_up_to_date(prefect_home: Path) -> None:
    kept = {"url": "http://127.0.0.1:4999/api", "processes": []}
    inputs = {"CROSSFADE_TRACKS": "sample.csv"}
    (prefect_home / RECORD).write_text(json.dumps({**kept, "inputs": inputs}))
    with at_work(prefect_home), pytest.raises(RunError, match="at work on other inputs; end it by"):
        start(4999)


def test_silence_is_judged_by_the_heartbeat_of_the_server(prefect_home: Path) -> None:
    url = "http://127.0.0.1:4999/api"
    (prefect_home / RECORD).write_text(json.dumps({"url": url, "inputs": {}, "processes": []}))
    with at_work(prefect_home):
        assert alerts_of(Settings(), url).silent_seconds == SILENT_SECONDS_KEPT
        given = Settings(alerts=AlertParameters(silent_seconds=300))
        assert alerts_of(given, url).silent_seconds == 300
        assert alerts_of(Settings(), "http://elsewhere/api").silent_seconds == 540
    assert alerts_of(Settings(), url).silent_seconds == 540


def test_every_deployed_flow_is_watched() -> None:
    entrypoints = re.findall(r"entrypoint: (\S+)\.(\S+)", DEFINITIONS.read_text())
    deployed = {getattr(import_module(module), name).name for module, name in entrypoints}
    assert deployed == set(FLOWS)
