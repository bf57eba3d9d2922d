"""An installation as `make ui` makes it, for tests: real server, worker and scheduler."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import psutil

from flows.server.auth import auth_string
from flows.server_record import recorded
from tests.conftest import free_port
from tests.flows.own_server import signed_in

QUICK = {
    "PREFECT_WORKER_QUERY_SECONDS": "2",
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "4",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "CROSSFADE_ALERTS__LATE_SECONDS": "10",
    "CROSSFADE_REFRESH_MINUTES": "1440",
    "CROSSFADE_ALERTS__SILENT_SECONDS": "150",
}
"""Shorter waits than in earnest, so that a test does not take the night."""

OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass
class Installation:
    """A Prefect server with worker and deployments in a folder of its own."""

    folder: Path
    inputs: dict[str, str]
    port: int = field(default_factory=free_port)

    @property
    def home(self) -> Path:
        """CROSSFADE_HOME."""
        return self.folder / "home"

    @property
    def prefect_home(self) -> Path:
        """PREFECT_HOME."""
        return self.folder / "prefect"

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def environment(self) -> dict[str, str]:
        """The environment that everything is started with."""
        clean = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
        return {
            **clean,
            **QUICK,
            **self.inputs,
            "PREFECT_HOME": str(self.prefect_home),
            "CROSSFADE_HOME": str(self.home),
        }

    def command(self, *arguments: str, **environment: str) -> str:
        """Run a module of this Python as `make` does; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=800,
            check=False,
        )
        if done.returncode:
            logs = [file.read_text()[-2000:] for file in self.prefect_home.glob("*.log")]
            raise AssertionError("\n".join([done.stdout, done.stderr, *logs]))
        return done.stdout

    def start(self) -> str:
        """What `make ui` does; then no schedule starts a run in the middle of a test."""
        said = self.command("flows.service", "start", "--port", str(self.port))
        self.schedules("pause")
        return said

    def schedules(self, what: Literal["pause", "resume"]) -> None:
        """Pause or resume the schedules of all deployments."""
        for deployment in self.ask("deployments/filter"):
            self.ask(f"deployments/{deployment['id']}/{what}_deployment")

    def stop(self) -> str:
        """What `make ui-stop` does."""
        return self.command("flows.service", "stop")

    def processes(self) -> dict[str, int]:
        """Process ids of what is kept running, by what they are."""
        return {
            "server" if "flows.server.serve" in process.cmdline() else "worker": process.pid
            for process in recorded(self.prefect_home)
        }

    def ask(self, path: str, **content: Any) -> Any:
        """Post to the API; a server that is just being started again is waited for."""
        deadline = time.monotonic() + 200
        while True:
            try:
                with signed_in(self.url, auth_string(self.prefect_home)) as client:
                    answer = client.post(path, json=content)
                answer.raise_for_status()
                return answer.json()
            except (httpx.TransportError, httpx.HTTPStatusError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def deployment(self, name: str) -> dict[str, Any]:
        """Return a deployment as the API tells it."""
        found: dict[str, Any] = next(
            one for one in self.ask("deployments/filter") if one["name"] == name
        )
        return found

    def go(self, deployment: str, **parameters: Any) -> str:
        """Start a run from a deployment; return its id."""
        path = f"deployments/{self.deployment(deployment)['id']}/create_flow_run"
        return str(self.ask(path, parameters=parameters)["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        """Return a run as the API tells it."""
        runs: list[dict[str, Any]] = self.ask(
            "flow_runs/filter", flow_runs={"id": {"any_": [run_id]}}
        )
        return runs[0]

    def progress(self, run_id: str) -> list[dict[str, Any]]:
        """Return what a run has shown of its progress: there is some once blocks are on Dask."""
        artifacts: list[dict[str, Any]] = self.ask(
            "artifacts/filter", flow_runs={"id": {"any_": [run_id]}}
        )
        return [one for one in artifacts if str(one["key"]).startswith("progress-")]

    def over(self, run_id: str, seconds: float = 600) -> dict[str, Any]:
        """Wait until a run has ended; return it."""
        self.until(lambda: self.run(run_id)["state"]["type"] in OVER, f"run {run_id}", seconds)
        return self.run(run_id)

    def until(self, true: Callable[[], object], what: str, seconds: float = 200) -> None:
        """Wait until something is true."""
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                log = (self.prefect_home / "worker.log").read_text()[-3000:]
                raise AssertionError(f"waited {seconds} s in vain for: {what}\n{log}")
            time.sleep(0.5)

    def flow_process(self, run_id: str) -> psutil.Process | None:
        """Return the process in which a run's flow is at work."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("PREFECT__FLOW_RUN_ID") == run_id
                if ours and "multiprocessing" not in " ".join(process.cmdline()):
                    found.append((process.create_time(), process))
            except psutil.Error:
                continue
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def block_workers(self, run_id: str) -> list[psutil.Process]:
        """Return the Dask worker processes of a run."""
        flow = self.flow_process(run_id)
        try:
            children = flow.children(recursive=True) if flow else []
            return [child for child in children if _is_block_worker(child)]
        except psutil.Error:
            return []

    def everything(self) -> list[psutil.Process]:
        """Return every process of this installation, by the PREFECT_HOME it was started with."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("PREFECT_HOME") == str(self.prefect_home)
            except psutil.Error:
                continue
            if ours and process.pid != os.getpid():
                found.append(process)
        return found


def _is_block_worker(process: psutil.Process) -> bool:
    line = " ".join(process.cmdline())
    return "multiprocessing" in line and "resource_tracker" not in line


def kill(processes: list[psutil.Process]) -> None:
    """End processes without warning, as a crash does."""
    for process in processes:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=20)
