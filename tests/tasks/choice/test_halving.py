"""The search: it finds what is planted, repeats itself, and leaves alone what is pinned."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from tasks.choice.costs import RATE, Costs
from tasks.choice.dials import DIALS
from tasks.choice.halving import Halving, Mix, Trial, halve
from tasks.choice.space import Space
from tasks.choice.trials import measured_here
from tasks.choice.world import METRICS, make_world
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters

START = CollaborativeParameters(model="learned")


def tastes(users: int = 900, tracks: int = 150, seed: int = 0) -> sparse.csr_array:
    """Return listeners who each keep mostly to one of ten scenes; a fifth of plays is chance."""
    rng = np.random.default_rng(seed)
    own = rng.integers(10, size=users)[:, None] == np.arange(tracks)[None, :] % 10
    return sparse.csr_array(
        (rng.random((users, tracks)) < np.where(own, 0.5, 0.02)).astype(np.int8)
    )


def searched(
    quality: Any = None,
    start: CollaborativeParameters = START,
    pinned: Collection[str] = (),
    seconds: float = 60.0,
    seed: int = 0,
    asked: list[tuple[int, float, list[CollaborativeParameters]]] | None = None,
    edges: Any = lambda _: 1.0,
) -> Halving:
    """Search where a setting's ``quality`` is known, or where it is measured (None)."""
    world = make_world(tastes(), 0)
    interactions = Interactions.of(world.training)
    noise = np.random.default_rng(5).uniform(0.9, 1.1, len(world.is_new))

    def planted(
        number: int, settings: Sequence[CollaborativeParameters], share: float
    ) -> list[Trial]:
        if asked is not None:
            asked.append((number, share, list(settings)))
        return [
            Trial({name: quality(one, world.is_new) * noise for name in METRICS}, edges(one))
            for one in settings
        ]

    return halve(
        measured_here(world, 0) if quality is None else planted,
        Space(interactions, start, pinned, np.random.default_rng(seed)),
        Costs(interactions, len(world.is_new), 0),
        Mix(world.is_new, 0.2),
        seconds * RATE,
    )


def test_dials_that_only_help_together_are_found() -> None:
    """Signed weights help with a strong ridge, and hurt with a weak one: no walk gets there."""

    def quality(one: CollaborativeParameters, _new: object) -> float:
        if one.non_negative:
            return 0.3
        return 0.4 if one.ridge > 60 else 0.2

    chosen = searched(quality).chosen
    assert not chosen.non_negative
    assert chosen.ridge > 60


def test_a_real_search_leaves_a_bad_start() -> None:
    bad = START.model_copy(update={"neighbours": 1})
    found = searched(start=bad, seconds=5.0)
    assert found.chosen != bad
    assert found.gain.mean > found.gain.error > 0


def test_the_same_seed_is_the_same_search_and_another_is_not() -> None:
    one, same, other = (searched(seconds=1.0, seed=seed) for seed in (0, 0, 1))
    assert [tried.setting for tried in one.tried] == [tried.setting for tried in same.tried]
    assert one.chosen == same.chosen
    assert [tried.setting for tried in one.tried] != [tried.setting for tried in other.tried]


@pytest.mark.parametrize("pinned", [("ridge",), ("non_negative", "neighbours"), DIALS])
def test_what_is_pinned_never_moves(pinned: tuple[str, ...]) -> None:
    start = START.model_copy(update={"neighbours": 77, "ridge": 33.0})
    found = searched(lambda one, _new: 0.3 + one.source_exponent, start, pinned)
    for tried in found.tried:
        for dial in pinned:
            assert getattr(tried.setting, dial) == getattr(start, dial)
    if pinned == DIALS:
        assert found.chosen == start


def test_a_gain_that_may_be_chance_changes_nothing() -> None:
    rng = np.random.default_rng(0)

    def quality(one: CollaborativeParameters, new: Any) -> Any:
        return 0.3 if one == START else 0.3 * rng.uniform(0.2, 1.8, len(new))

    kept = [searched(quality, seed=seed).chosen == START for seed in range(10)]
    assert sum(kept) >= 8


def test_nothing_is_measured_without_a_budget_for_two_settings() -> None:
    asked: list[Any] = []
    found = searched(lambda _one, _new: 0.3, seconds=1e-6, asked=asked)
    assert found.chosen == START
    assert asked == found.tried == []


def test_work_stays_within_the_budget_and_grows_with_it() -> None:
    world = make_world(tastes(), 0)
    costs = Costs(Interactions.of(world.training), len(world.is_new), 0)
    planned = []
    for seconds in (0.5, 2.0, 8.0):
        asked: list[tuple[int, float, list[CollaborativeParameters]]] = []
        searched(lambda one, _new: 0.3 + one.source_exponent, seconds=seconds, asked=asked)
        planned.append(sum(costs.of(settings, share) for _, share, settings in asked) / RATE)
        assert planned[-1] <= seconds
    assert planned == sorted(planned)


def test_a_table_that_is_too_large_is_not_chosen() -> None:
    def quality(one: CollaborativeParameters, _new: object) -> float:
        return 0.3 + one.neighbours / 1e4

    assert searched(quality).chosen.neighbours > 100
    large = searched(quality, edges=lambda one: 5e4 * one.neighbours)
    assert large.chosen.neighbours == 100


def test_the_kinds_of_listeners_count_as_the_mix_says() -> None:
    new = np.array([False, False, True])
    values = {name: np.array([0.2, 0.4, 0.9]) for name in METRICS}
    everyone = np.ones(3, dtype=bool)
    assert Mix(new, 0.2).score(values, everyone) == pytest.approx(0.8 * 0.3 + 0.2 * 0.9)
    assert Mix(new, 0.0).score(values, everyone) == pytest.approx(0.3)
    assert Mix(new, 1.0).score(values, everyone) == pytest.approx(0.9)


def test_the_error_of_a_gain_is_that_of_resampling() -> None:
    rng = np.random.default_rng(0)
    new = np.arange(600) >= 400
    one, other = ({name: rng.gamma(2.0, 0.1, 600) for name in METRICS} for _ in range(2))
    mix, everyone = Mix(new, 0.2), np.ones(600, dtype=bool)
    gain = mix.gain(one, other, everyone)
    means = []
    for _ in range(800):
        drawn = np.concatenate([rng.integers(400, size=400), 400 + rng.integers(200, size=200)])
        again = [{name: of[name][drawn] for name in METRICS} for of in (one, other)]
        means.append(mix.score(again[0], everyone) / mix.score(again[1], everyone) - 1)
    assert gain.error == pytest.approx(np.std(means), rel=0.15)
