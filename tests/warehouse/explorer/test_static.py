"""Streamlit's static files, as served by the explorer."""

import http.client
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.warehouse.explorer.browsing import Server

ROOT = Path(str(files("streamlit") / "static"))


def ask(server: Server, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body; the path is sent unchanged."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(("kind", "expected"), [("js", "javascript"), ("css", "css")])
def test_files_arrive_whole_and_may_be_kept(
    sample_server: Server, kind: str, expected: str
) -> None:
    file = max((ROOT / "static" / kind).iterdir(), key=lambda x: x.stat().st_size)
    status, headers, body = ask(sample_server, f"/static/{kind}/{file.name}")
    assert (status, body) == (200, file.read_bytes())
    assert expected in headers["content-type"]
    assert "immutable" in headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../index.html",
        "/static/../../__init__.py",
        "/static/js/../../../config.py",
        "/static/%2e%2e/%2e%2e/config.py",
        "//etc/passwd",
    ],
)
def test_no_path_leads_outside(sample_server: Server, path: str) -> None:
    status, _, body = ask(sample_server, path)
    assert status in (400, 404) or b"<!DOCTYPE html>" in body  # refused, or Streamlit's own page
    assert b"import " not in body
    assert b"root:" not in body


def test_everything_else_is_streamlits(sample_server: Server) -> None:
    assert ask(sample_server, "/_stcore/health")[0] == 200
    assert b'<div id="root">' in ask(sample_server, "/")[2]
    name = next((ROOT / "static" / "js").iterdir()).name
    assert ask(sample_server, f"/static/js/{name}", "POST")[0] == 405
