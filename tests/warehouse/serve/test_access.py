"""Who is answered, and how a request that cannot be answered is refused."""

import base64
import re
import stat
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import httpx
import pytest

from tests.warehouse.serve.serving import served, wait
from warehouse.releases.home import Home
from warehouse.serve.access import renew, token, token_file
from warehouse.serve.endpoints import ENDPOINTS
from warehouse.serve.limits import BODY_BYTES

EVERYTHING = [*(one.path for one in ENDPOINTS), "/health", "/metrics", "/docs", "/openapi.json"]
ORIGIN = "https://app.example"


@pytest.fixture(scope="module")
def api(three_published: Home) -> Iterator[httpx.Client]:
    with served(three_published, origins=(ORIGIN,)) as client:
        yield client


def assert_problem(reply: httpx.Response, status: int) -> Any:
    """Assert that the answer is a problem document of that status; return it."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    document = reply.json()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document


@pytest.mark.parametrize("path", [*EVERYTHING, "/nowhere"])
def test_nothing_is_answered_without_the_token(api: httpx.Client, path: str) -> None:
    for wrong in ("", "Bearer", "Bearer x", f"Token {token_of(api)}", "Basic x"):
        reply = api.get(path, headers={"Authorization": wrong})
        assert_problem(reply, 401)
        assert reply.headers["www-authenticate"].endswith('realm="crossfade"')


def token_of(api: httpx.Client) -> str:
    """Return the token that a client has."""
    return api.headers["Authorization"].partition(" ")[2]


def test_the_token_is_in_a_file_of_its_owner_and_can_be_renewed(home: Home) -> None:
    with served(home) as api:
        before = token(home)
        assert stat.S_IMODE(token_file(home).stat().st_mode) == 0o600
        assert api.get("/health").status_code == 503  # nothing is published, but the token counts
        renew(home)
        assert token(home) != before
        wait(lambda: api.get("/health").status_code == 401)
        now = {"Authorization": f"Bearer {token(home)}"}
        assert api.get("/health", headers=now).status_code == 503


def test_a_browser_may_sign_in_with_the_token_as_password(api: httpx.Client) -> None:
    password = base64.b64encode(f"anybody:{token_of(api)}".encode()).decode()
    assert api.get("/docs", headers={"Authorization": f"Basic {password}"}).status_code == 200


def test_another_host_is_refused(api: httpx.Client) -> None:
    assert api.get("/health", headers={"Host": "rebound.example"}).status_code == 403


def test_only_pages_of_the_named_origins_read_answers(api: httpx.Client) -> None:
    assert api.get("/v1/release", headers={"Origin": "https://other.example"}).status_code == 403
    reply = api.get("/v1/release", headers={"Origin": ORIGIN})
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET",
             "Access-Control-Request-Headers": "authorization, if-none-match"}  # fmt: skip
    preflight = api.options("/v1/release", headers={**asked, "Authorization": ""})
    assert preflight.status_code == 200
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in preflight.headers


@pytest.mark.parametrize(
    ("path", "arguments", "fields"),
    [
        ("recommend_user", {}, ["user_id"]),
        ("recommend_user", {"user_id": "u", "weight": 1.5}, ["weight"]),
        ("recommend_user", {"user_id": "u", "weight": "nan"}, ["weight"]),
        ("recommend_user", {"user_id": "u", "k": 0, "after": -1}, ["after", "k"]),
        ("recommend_user", {"user_id": "u", "kk": 3}, ["kk"]),
        ("recommend_tracks", {"track_ids": ["a"], "exclude": ["x" * 600]}, ["exclude.0"]),
        ("user_candidates", {"user_id": "u", "first_year": "then"}, ["first_year"]),
        ("explain", {"track_a": "a"}, ["track_b"]),
        ("segments", {"k": 3}, ["k"]),
    ],
)
def test_a_wrong_argument_is_named(
    api: httpx.Client, path: str, arguments: dict[str, Any], fields: list[str]
) -> None:
    document = assert_problem(api.get(f"/v1/{path}", params=arguments), 422)
    assert sorted(error["field"] for error in document["errors"]) == fields
    assert all(field in document["detail"] for field in fields)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user_ids": ["a", 3]}, "user_ids.1"),
        ({"user_ids": []}, "user_ids"),
        ({"user_ids": ["a"], "k": 1e9}, "k"),
        ([], "body"),
    ],
)
def test_a_wrong_part_of_a_body_is_named(api: httpx.Client, body: Any, field: str) -> None:
    document = assert_problem(api.post("/v1/recommend_users", json=body), 422)
    assert [error["field"] for error in document["errors"]] == [field]


def test_a_body_that_is_no_json_or_too_long_is_refused(api: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    bad = api.post("/v1/recommend_users", content=b"{", headers=headers)
    assert assert_problem(bad, 422)["errors"][0]["field"] == "body"
    surrogate = api.post(
        "/v1/recommend_users", content=rb'{"\ud800": 1, "user_ids": ["\ud800"]}', headers=headers
    )
    assert_problem(surrogate, 422)
    long = b'{"user_ids": ["' + b"x" * BODY_BYTES + b'"]}'
    assert_problem(api.post("/v1/recommend_users", content=long, headers=headers), 413)
    parts = (long[x : x + 50_000] for x in range(0, len(long), 50_000))
    assert_problem(api.post("/v1/recommend_users", content=parts, headers=headers), 413)


def test_unknown_paths_and_methods_are_problems_too(api: httpx.Client) -> None:
    assert_problem(api.get("/v1/nothing"), 404)
    assert_problem(api.delete("/v1/release"), 405)
    assert_problem(api.get("/v1/recommend_users"), 405)


def test_the_page_of_the_api_loads_nothing_from_elsewhere(api: httpx.Client) -> None:
    page = api.get("/docs")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    text = files("warehouse.serve").joinpath("assets/docs.html").read_text()
    assert page.text == text
    assert not re.search(r"//[a-z]|<link|@import|src=", re.sub(r"/\*.*?\*/", "", text))


def test_metrics_count_by_path_and_hold_no_ids(api: httpx.Client) -> None:
    api.get("/v1/recommend_user", params={"user_id": "somebody-in-particular"})
    api.get("/somebody-in-particular")
    text = api.get("/metrics").text
    assert re.search(
        r'requests_total\{method="GET",path="/v1/recommend_user",status="200"\} \d', text
    )
    assert 'path="other",status="404"' in text
    assert 'crossfade_http_request_seconds_bucket{le="0.025",path="/v1/recommend_user"}' in text
    assert "crossfade_pointer_readable 1.0" in text
    assert "somebody" not in text
