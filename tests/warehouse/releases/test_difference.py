"""The difference of two releases, beside figures worked by hand."""

import pyarrow as pa
import pytest

from tests.warehouse.publishing import release_id
from warehouse.releases.difference import compare_releases, overlap_of
from warehouse.releases.home import Home
from warehouse.releases.release import find_release


def lists(**of: str) -> pa.Table:
    """Return the lists of listeners, one letter per track, best first."""
    rows = [
        {"user_id": user, "rank": rank + 1, "track_id": track}
        for user, tracks in of.items()
        for rank, track in enumerate(tracks)
    ]
    return pa.Table.from_pylist(rows)


def test_overlap_worked_by_hand() -> None:
    found = overlap_of(
        lists(same="abc", turned="abc", other="abc", gone="abc"),
        lists(same="abc", turned="bad", other="xyz", new="abc"),
    )
    turned = 1 / 3 * (0 / 1 + 2 / 2 + 2 / 3)
    assert found["listeners"] == 3
    assert found["average_overlap"] == pytest.approx((1 + turned + 0) / 3)
    assert found["shared"] == pytest.approx((3 / 3 + 2 / 3 + 0 / 3) / 3)
    assert found["same_first"] == pytest.approx(1 / 3)


def test_two_releases_of_one_world_differ_in_name_only(three_published: Home) -> None:
    old, new = (find_release(three_published, release_id(number)) for number in (0, 1))
    difference = compare_releases(old, new)
    assert difference is not None
    assert (difference.old.release_id, difference.new.release_id) == (release_id(0), release_id(1))
    assert difference.compared == difference.new.listeners == 10
    assert difference.average_overlap == pytest.approx(1.0)
    assert difference.shared == difference.same_first == 1.0
    assert 0 < difference.new.coverage <= 1
