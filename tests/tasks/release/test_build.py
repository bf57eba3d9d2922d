"""Ids of releases: they sort by time, in every time zone."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.release import build
from tasks.release.build import _release_id
from warehouse.releases.home import Home


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
)
def test_ids_go_up_through_a_change_of_the_clocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    class Listed:
        def __init__(self, name: str) -> None:
            self.manifest = self
            self.release_id = name

    ids: list[str] = []
    monkeypatch.setattr(build, "list_releases", lambda _: [Listed(name) for name in ids])
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        # Every quarter of an hour of the days on which clocks change, and each time twice.
        for day in (datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 11, 1)):
            begin = day.replace(tzinfo=UTC)
            for quarter in range(96):
                now = begin + timedelta(minutes=15 * quarter)
                for again in range(2):
                    ids.append(_release_id(Home(tmp_path), now, "abcdef"))
                    expected = now + timedelta(seconds=again)
                    assert ids[-1] == f"{expected:%Y%m%dT%H%M%S}-abcdef"
    finally:
        monkeypatch.undo()
        time.tzset()
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
