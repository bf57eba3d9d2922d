"""Publishing again and again under readers: no error, no answer of two releases."""

import threading
from collections import Counter

import httpx
import pytest

from tests.warehouse.publishing import MARKS, release_id, run
from tests.warehouse.serve.serving import process
from warehouse.build.writer import BuildInput
from warehouse.releases.home import Home

PUBLISHES, READERS = 50, 6


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_publishes_go_unnoticed_but_for_the_release_id(home: Home, given: BuildInput) -> None:
    run(home, given, 0)
    done = threading.Event()
    seen: Counter[str] = Counter()
    faults: list[str] = []

    def read(api: httpx.Client, number: int) -> None:
        while not done.is_set():
            try:
                marks = api.get("/v1/evaluation")
                lists = api.get("/v1/recommend_user", params={"user_id": f"U{number}"})
                both = marks.json(), lists.json()
                models = [row["model"] for row in both[0]["rows"]]
                assert models == MARKS * [both[0]["release_id"]]
                assert [row["rank"] for row in both[1]["rows"]] == list(range(1, 21))
                for reply, answer in zip((marks, lists), both, strict=True):
                    assert reply.status_code == 200
                    assert reply.headers["etag"].startswith(f'"{answer["release_id"]}-')
                    seen[answer["release_id"]] += 1
            except Exception as error:
                faults.append(repr(error))

    with process(home.path, "--workers", "2") as api:
        readers = [threading.Thread(target=read, args=(api, x)) for x in range(READERS)]
        for reader in readers:
            reader.start()
        for number in range(1, PUBLISHES + 1):
            run(home, given, number, retain=2)
        last = release_id(PUBLISHES)
        for _ in range(200):
            if seen[last] > 50:
                break
            done.wait(0.1)
        done.set()
        for reader in readers:
            reader.join()
    assert faults == []
    assert len(seen) > PUBLISHES // 2
    assert seen[last] > 50
