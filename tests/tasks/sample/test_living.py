"""The living product: what is new comes on its day, tastes drift, effects can be on and off."""

from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest

from tasks.sample import SampleParameters, generate_sample
from tasks.sample.feedback import FeedbackParameters, simulate
from tasks.sample.living import Product, ProductParameters, build_product, live

STYLES = 6


def _product(**changed: float) -> Product:
    parameters = ProductParameters(days=20, new_listeners=0.2, new_tracks=0.3, **changed)  # type: ignore[arg-type]  # fields are told apart by name
    return build_product(np.arange(300) % STYLES, np.ones(300), 2000, parameters)


def test_equal_parameters_give_equal_days_in_any_order() -> None:
    days = [live(_product(), day) for day in (3, 17)]
    again = [live(_product(), day) for day in (17, 3)]
    for one, other in zip(days, reversed(again), strict=True):
        assert np.array_equal(one.played, other.played)
        assert np.array_equal(one.played_by, other.played_by)
    assert not np.array_equal(days[0].played[:50], days[1].played[:50])


def test_what_is_new_is_not_there_before_its_day() -> None:
    product = _product()
    joined, released = set[int](), set[int]()
    for day in range(-3, 20):
        today = live(product, day)
        assert np.all(product.released[today.played] <= day)
        assert np.all(product.joined[today.played_by] <= day)
        joined.update(today.listeners.tolist())
        released.update(today.tracks.tolist())
    assert len(joined) == pytest.approx(0.2 * 2000, rel=0.2)
    assert len(released) == pytest.approx(0.3 * 300, rel=0.3)


@pytest.mark.parametrize(("drift", "share"), [(0.0, 1.0), (0.02, 0.6), (0.05, 0.0)])
def test_tastes_drift(drift: float, share: float) -> None:
    """After 20 days a listener has moved on 20 · drift times on average."""
    product = _product(drift=drift)
    everybody = np.arange(2000)
    same = product.taste_on(everybody, 0) == product.taste_on(everybody, 20)
    assert same.mean() == pytest.approx(share, abs=0.05)


def test_plays_follow_the_taste_of_the_day() -> None:
    product = _product(drift=0.1)
    today = live(product, 15)
    liked = product.style[today.played] == product.taste_on(today.played_by, 15)
    assert liked.mean() == pytest.approx(0.8 + 0.2 / STYLES, abs=0.03)


@pytest.mark.parametrize(("lift", "visits_lift"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.4)])
def test_effects_are_what_the_parameters_say(lift: float, visits_lift: float) -> None:
    product = build_product(
        np.arange(60) % STYLES, np.ones(60), 20_000, ProductParameters(new_listeners=0)
    )
    treated = np.arange(20_000) % 2 == 1
    given = FeedbackParameters(lift=lift, visits_lift=visits_lift)
    visits, shown = simulate(product, treated, given)
    inside = shown.inside & treated[shown.listener]
    control = shown.inside & ~treated[shown.listener]
    found = shown.clicked[inside].mean() / shown.clicked[control].mean() - 1
    assert found == pytest.approx(lift, abs=0.04)
    came = [np.sum((visits.second >= 0) & (treated[visits.listener] == arm)) for arm in (0, 1)]
    assert came[1] / came[0] - 1 == pytest.approx(visits_lift, abs=0.04)
    before = ~shown.inside
    rates = [shown.clicked[before & (treated[shown.listener] == arm)].mean() for arm in (0, 1)]
    assert rates[0] == pytest.approx(rates[1], rel=0.05)


def test_files_overlap_and_events_come_late(tmp_path: Path) -> None:
    generate_sample(tmp_path, SampleParameters(scale=0.1, catalogue=0.1, feedback=True))
    first, last = (
        {
            name: pyarrow.csv.read_csv(tmp_path / f"{name}{suffix}.csv")
            for name in ("exposures", "events")
        }
        for suffix in ("", "-last-week")
    )
    for name, key in (("exposures", "exposure_id"), ("events", "event_id")):
        both = set(first[name][key].to_pylist()) & set(last[name][key].to_pylist())
        assert 0 < len(both) < 0.5 * len(last[name])
    moments = {
        row["exposure_id"]: row["shown_at"]
        for half in (first, last)
        for row in half["exposures"].to_pylist()
    }
    waits = [
        (row["at"] - moments[row["exposure_id"]]).total_seconds()
        for half in (first, last)
        for row in half["events"].to_pylist()
        if row["exposure_id"]
    ]
    assert min(waits) >= 0
    assert 0 < np.mean(np.array(waits) > 3600) < 0.1
