"""Whatever the OpenAPI document allows, and what it does not, is answered without a fault."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.warehouse.serve.serving import served
from warehouse.releases.home import Home

schemathesis = pytest.importorskip("schemathesis", reason="make install-dev installs it")


@pytest.mark.parametrize(
    "examples", [5, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_a_fuzzer_finds_no_fault(three_published: Home, examples: int) -> None:
    from schemathesis.generation import GenerationMode

    with served(three_published) as api:
        document = api.get("/openapi.json").json()
        schema = schemathesis.openapi.from_dict(document)
        statuses: set[int] = set()
        for found in schema.get_all_operations():
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                strategy = found.ok().as_strategy(generation_mode=mode)
                _fuzz(strategy, api, examples, statuses)
        assert {200, 422} <= statuses


def _fuzz(strategy: Any, api: Any, examples: int, statuses: set[int]) -> None:
    from hypothesis import given

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def ask(case: Any) -> None:
        reply = case.call(
            base_url=str(api.base_url),
            headers={"Authorization": api.headers["Authorization"]},
            timeout=120,
        )
        assert reply.status_code < 500, case.as_curl_command()
        statuses.add(reply.status_code)
        if reply.status_code >= 400 and "json" in reply.headers["content-type"][0]:
            assert reply.headers["content-type"][0] == "application/problem+json"

    ask()
