"""The cluster that starts at the side of a stage that needs no workers."""

import sys

import pytest

from flows.cluster import PRELOADED, Cluster
from tests.conftest import free_port
from warehouse.errors import ClusterError


def _imported() -> set[str]:
    return set(PRELOADED) & set(sys.modules)


def test_workers_started_in_the_background_have_imported_the_stages() -> None:
    with Cluster(None, 1, 2 * 10**9) as cluster:
        cluster.start_soon()
        cluster.start_soon()
        client = cluster.client()
        assert list(client.run(_imported).values()) == [set(PRELOADED)]
        assert cluster.client() is client


def test_a_scheduler_that_is_not_there_is_told_when_it_is_wanted_not_before() -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    with Cluster(address, 1, 10**9) as cluster:
        cluster.start_soon()
        with pytest.raises(ClusterError, match=address):
            cluster.client()
