"""What a release spells out in the text of its views and macros."""

from typing import Any

import duckdb
import pytest

from warehouse.contract.ranked import weights


def segment(name: str, first: int, last: int | None, weight: float) -> dict[str, Any]:
    """Return what a release knows of one segment."""
    return {"segment": name, "min_tracks": first, "max_tracks": last, "weight": weight}


@pytest.mark.parametrize(
    ("segments", "of_one"),
    [
        ([segment("everybody", 0, None, 0.1)], 0.1),
        (
            [segment("0", 0, 0, 1.0), segment("it's some", 1, 9, 1e-7), segment("x", 10, None, 0)],
            1e-7,
        ),
        ([segment("few", 0, 4, 1 / 3), segment("many", 5, None, 1)], 1 / 3),
    ],
)
def test_weights_are_spelled_to_the_last_bit(segments: list[dict[str, Any]], of_one: float) -> None:
    spelled = weights(segments)
    names = [x["segment"] for x in segments]
    rows = duckdb.execute(
        f"SELECT {spelled['weight']}, {spelled['weight_of_one']}::DOUBLE "
        "FROM (SELECT unnest(?::VARCHAR[]) AS segment) l",
        [names],
    ).fetchall()
    assert rows == [(x["weight"], of_one) for x in segments]
