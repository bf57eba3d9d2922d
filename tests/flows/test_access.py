"""Nobody but its owner gets into our Prefect server; its owner gets in with a browser."""

import http.server
import stat
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.flows.own_server import OwnServer, own_server, signed_in
from tests.warehouse.explorer.browsing import CHROMIUM, FLAGS

PATIENCE = 240_000
"""Milliseconds a page may take on a busy machine."""

pytestmark = pytest.mark.timeout(1200)

REBOUND = "rebound.example"
"""A name that its owner points at the loopback address of whoever looks it up."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """One server for the module."""
    with own_server(tmp_path_factory.mktemp("own") / "prefect", ("music.example",)) as running:
        yield running


@pytest.fixture(scope="module")
def deployment(server: OwnServer) -> str:
    return server.deployment()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        rules = f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, rules])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_the_secret_is_its_owners_alone(server: OwnServer) -> None:
    file = server.prefect_home / "auth-string"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.prefect_home.stat().st_mode) == 0o700
    assert len(server.auth) >= 43  # 256 bits


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/deployments/{deployment}/create_flow_run"),
        ("POST", "/block_documents/filter"),
        ("PATCH", "/work_pools/crossfade"),
        ("GET", "/csrf-token?client=stranger"),
        ("GET", "/admin/settings"),
        ("GET", "/health"),
        ("GET", "/ready"),
        ("GET", "/version"),
    ],
)
@pytest.mark.parametrize("sent", [{}, {"Authorization": "Basic YWRtaW46cGFzcw=="}])
def test_another_user_of_the_machine_is_not_let_in(
    server: OwnServer, deployment: str, method: str, path: str, sent: dict[str, str]
) -> None:
    before = len(server.runs())
    url = server.url + path.format(deployment=deployment)
    content = None if method == "GET" else {"include_secrets": True}
    assert httpx.request(method, url, json=content, headers=sent).status_code == 401
    assert len(server.runs()) == before


@pytest.mark.parametrize(
    "path",
    [
        *("/docs", "/docs/", "/redoc", "/openapi.json", "/%64ocs"),
        *("/v2", "/v2/", "/v2/dashboard", "/x/../v2/"),
        *("/api/docs", "/api/redoc", "/api/openapi.json"),
    ],
)
def test_what_nobody_needs_is_not_there(server: OwnServer, path: str) -> None:
    for headers in ({}, {"Cookie": "prefect_ui_version=v2", "Accept": "text/html"}):
        answer = httpx.get(server.root + path, headers=headers, follow_redirects=True)
        assert answer.status_code == 404, path
    opened = httpx.get(server.root, headers={"Cookie": "prefect_ui_version=v2"})
    assert opened.status_code == 200
    assert "https://" not in opened.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST:{port}", 200),
        ("[::1]:{port}", 200),
        ("music.example", 200),
        ("music.example:8443", 200),
        ("127.0.0.1", 403),
        ("127.0.0.1:9", 403),
        ("localhost.:{port}", 403),
        ("127.0.0.1.example:{port}", 403),
        ("rebound.example:{port}", 403),
        ("music.example.org", 403),
        ("{port}", 403),
        ("", 403),
    ],
)
def test_only_its_own_names_are_answered(server: OwnServer, host: str, status: int) -> None:
    asked = httpx.get(f"{server.root}/ui-settings", headers={"Host": host.format(port=server.port)})
    assert asked.status_code == status


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9", "x"])
def test_other_origins_are_refused_even_when_signed_in(server: OwnServer, origin: str) -> None:
    with signed_in(server.url, server.auth) as client:
        assert client.post("/flows/filter", json={}, headers={"Origin": origin}).status_code == 403
        asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert client.options("/flows/filter", headers=asks).status_code == 400
        own = {"Origin": server.root}
        assert client.post("/flows/filter", json={}, headers=own).status_code == 200
        del client.headers["Prefect-Csrf-Token"]
        assert client.post("/flows/filter", json={}).status_code == 403


def test_a_page_of_another_origin_starts_nothing(
    server: OwnServer, deployment: str, page: Page, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("<h1>Win a prize</h1>")
    before = len(server.runs())
    statuses: list[int] = []
    page.on(
        "response",
        lambda got: statuses.append(got.status) if got.url.startswith(server.url) else None,
    )
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as evil:
        threading.Thread(target=evil.serve_forever, daemon=True).start()
        page.goto(f"http://127.0.0.1:{evil.server_address[1]}/")
        url = f"{server.url}/deployments/{deployment}/create_flow_run"
        script = """([url, options]) => fetch(url, {method: "POST", body: "{}", ...options})
            .then(answer => answer.type, error => error.name)"""
        simple = {"mode": "no-cors", "headers": {"Content-Type": "text/plain"}}
        assert page.evaluate(script, [url, simple]) == "opaque"
        assert statuses == [403]
        asked_first = {"headers": {"Content-Type": "application/json"}}
        assert page.evaluate(script, [url, asked_first]) == "TypeError"
        socket = """url => new Promise(done => {
            const socket = new WebSocket(url, "prefect");
            socket.onopen = () => done("open"); socket.onerror = () => done("refused"); })"""
        events = server.url.replace("http:", "ws:") + "/events/out"
        assert page.evaluate(socket, events) == "refused"
        evil.shutdown()
    rebound = page.goto(f"http://{REBOUND}:{server.port}/")
    assert rebound is not None
    assert rebound.status == 403
    assert len(server.runs()) == before


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_its_owner_signs_in_and_starts_a_run(
    server: OwnServer, deployment: str, page: Page, name: str
) -> None:
    outside: list[str] = []
    root = f"http://{name}:{server.port}"
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith((root, "data:", "blob:")) else outside.append(asked.url)
        ),
    )
    page.goto(root, wait_until="commit")
    secret = page.locator("input").first
    secret.fill("a guess")
    secret.press("Enter")
    expect(page.get_by_text("Authentication failed").first).to_be_visible(timeout=PATIENCE)
    assert "/login" in page.url
    secret.fill(server.auth)
    secret.press("Enter")
    page.wait_for_url("**/dashboard", timeout=PATIENCE)

    before = len(server.runs())
    page.goto(f"{root}/deployments/deployment/{deployment}", wait_until="commit")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Quick run").click()
    expect(page.get_by_text("scheduled", exact=False).first).to_be_visible(timeout=PATIENCE)
    runs = server.runs()
    assert len(runs) == before + 1
    page.goto(f"{root}/runs", wait_until="commit")
    expect(page.get_by_text(runs[0]["name"]).first).to_be_visible(timeout=PATIENCE)
    assert outside == []
