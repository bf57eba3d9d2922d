"""Weights chosen from measured curves: the best point, and help for thin segments."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.blend.parameters import DEFAULT_SEGMENTS
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.evaluation.choice import (
    Best,
    Blend,
    choose_gamma,
    choose_points,
    grid,
    learned_segments,
)
from tasks.evaluation.parameters import EvaluationParameters

PARAMETERS = EvaluationParameters()
GRID = grid(PARAMETERS, has_content=True)
DEFAULTS = DEFAULT_SEGMENTS[1:]


def curves(
    best: tuple[float, float], listeners: int, noise: float = 0.01, seed: int = 0
) -> NDArray[np.float64]:
    """Return listeners × points with the top of the mean at ``best``."""
    rng = np.random.default_rng(seed)
    share = GRID[:, 1] / (1 + GRID[:, 1])
    away = (GRID[:, 0] - best[0]) ** 2 + (share - best[1] / (1 + best[1])) ** 2
    level = rng.uniform(0.2, 0.6, listeners)[:, None]
    return np.asarray(level * (1 - 0.5 * away) + noise * rng.normal(size=(listeners, len(GRID))))


def counts_of(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    return resample_counts(len(curve), 200, 0) if len(curve) else np.zeros((200, 0))


def choose(*by_segment: NDArray[np.float64], pooling: float = 100.0) -> list[Blend | None]:
    return choose_points(
        GRID,
        list(by_segment),
        [counts_of(c) for c in by_segment],
        DEFAULTS[: len(by_segment)],
        PARAMETERS.model_copy(update={"pooling": pooling}),
    )


def gamma_of(
    gammas: NDArray[np.float64],
    curve: NDArray[np.float64],
    cost: NDArray[np.float64],
    price: float = 0.01,
    default: float = 0.0,
) -> float | None:
    parameters = PARAMETERS.model_copy(update={"gamma_price": price})
    counts = counts_of(curve) if len(curve) else np.zeros((200, 0))
    return choose_gamma(gammas, curve, cost, counts, default, parameters)


def test_the_best_point_is_found() -> None:
    (chosen,) = choose(curves((0.7, 0.4), 500))
    assert chosen is not None
    assert chosen[0] == pytest.approx(0.7, abs=0.05)
    assert chosen[1] == pytest.approx(0.4, abs=0.15)


def test_a_thin_segment_leans_on_its_neighbours() -> None:
    thin = curves((0.0, 0.0), 20)
    wide = curves((0.9, 0.8), 1_000)
    alone = choose(thin, wide, pooling=0.0)[0]
    leaning = choose(thin, wide, pooling=100.0)[0]
    assert alone is not None
    assert leaning is not None
    assert alone.weight < 0.2
    assert leaning.weight > 0.65
    # and the wide one hardly notices
    own = choose(thin, wide, pooling=100.0)[1]
    assert own is not None
    assert own.weight == pytest.approx(0.9, abs=0.05)


def test_a_segment_with_enough_listeners_stands_alone() -> None:
    """A neighbour with more at stake must not pull it from its own best point."""
    flat = 0.3 + 0.1 * (curves((1.0, 0.0), 300) - 0.3)
    steep = curves((0.2, 3.2), 300)
    beside, alone = choose(steep, flat)[1], choose(curves((0.5, 0.3), 300), flat)[1]
    assert beside == alone


def test_an_empty_segment_takes_its_neighbours_choice_or_keeps_the_default() -> None:
    nobody = np.zeros((0, len(GRID)))
    filled = choose(nobody, curves((0.6, 0.2), 400), nobody, nobody)
    assert filled[0] is not None
    assert filled[0].weight == pytest.approx(0.6, abs=0.05)
    assert filled[2] is not None
    assert filled[2].weight == pytest.approx(0.6, abs=0.1)
    assert filled[3] is None
    learned = learned_segments(DEFAULT_SEGMENTS, filled)
    assert [s.segment for s in learned] == [s.segment for s in DEFAULT_SEGMENTS]
    assert learned[0] == DEFAULT_SEGMENTS[0]
    assert learned[1].weight == filled[0].weight
    assert learned[4] == DEFAULT_SEGMENTS[4]


def test_what_makes_no_difference_stays_at_the_default() -> None:
    found = choose(np.full((50, len(GRID)), 0.3))
    assert found == [Blend(DEFAULTS[0].weight, DEFAULTS[0].popularity)]
    without_content = grid(PARAMETERS, has_content=False)
    assert set(without_content[:, 0]) == {1.0}


def test_noise_on_few_listeners_does_not_move_a_choice() -> None:
    """Points near each other do alike, as in a real curve; nothing is better than anything."""
    rng = np.random.default_rng(5)
    moved = []
    for _ in range(200):
        slopes = rng.normal(size=(40, 5))
        share = GRID[:, 1] / (1 + GRID[:, 1])
        shapes = np.stack([GRID[:, 0], share, GRID[:, 0] ** 2, share**2, GRID[:, 0] * share])
        curve = 0.3 + 0.05 * slopes @ shapes + 0.02 * rng.normal(size=(40, len(GRID)))
        (found,) = choose(curve)
        assert found is not None
        moved.append(abs(found.weight - DEFAULTS[0].weight))
    assert np.mean(np.array(moved) > 0.02) < 0.2  # nine of ten stay, fewer on few listeners
    assert np.mean(moved) < 0.02


def test_many_listeners_move_a_choice_all_the_way() -> None:
    few, many = (choose(curves((0.95, 0.05), n, noise=0.2))[0] for n in (12, 3_000))
    assert few is not None
    assert many is not None
    default = DEFAULTS[0].weight
    assert many.weight == pytest.approx(0.95, abs=0.06)
    assert default <= few.weight < many.weight


def test_a_choice_moves_by_the_supported_share_of_the_way() -> None:
    start, best = Blend(0.8, 0.0), Blend(0.2, 1.0)
    assert Best(best, 0.0).moved(start) == start
    assert Best(best, 1.0).moved(start) == best
    # half of the way from 0.8 to 0.2, and from the share 0 to the share 1/2: 1/4 is p = 1/3
    assert Best(best, 0.5).moved(start) == Blend(0.5, 0.33)


def test_a_grid_of_one_point_decides() -> None:
    parameters = EvaluationParameters(weights=(0.35,), priors=(7.0,))
    points = grid(parameters, has_content=True)
    curve = np.full((5, 1), 0.3)
    assert choose_points(points, [curve], [counts_of(curve)], DEFAULTS[:1], parameters) == [
        Blend(0.35, 7.0)
    ]
    assert gamma_of(np.array([0.7]), curve, curve, default=0.3) == 0.7


def test_popularity_alone_can_be_chosen() -> None:
    """Where popularity orders best the grid does not end before it."""
    (found,) = choose(curves((1.0, 1_000.0), 500))
    assert found is not None
    assert found.weight > 0.9
    assert found.prior > 8


def test_gamma_is_the_best_one() -> None:
    gammas = np.array([0.0, 0.5, 1.0])
    rng = np.random.default_rng(1)
    curve = np.array([0.2, 0.4, 0.3]) + 0.01 * rng.normal(size=(100, 3))
    free = np.ones((100, 3))
    assert gamma_of(gammas, curve, free) == 0.5
    curve[:50] = np.nan  # listeners with nothing but hidden tracks say nothing
    assert gamma_of(gammas, curve, free) == pytest.approx(0.5, abs=0.01)
    assert gamma_of(gammas, curve[:0], free[:0]) is None


def test_gamma_costs_the_played_tracks_little() -> None:
    gammas = np.array([0.0, 0.3, 0.6])
    curve = np.tile([0.2, 0.3, 0.4], (40, 1))
    cost = np.tile([0.500, 0.496, 0.480], (40, 1))  # 0.8 % and 4 % below the best
    assert gamma_of(gammas, curve, cost, 0.01) == 0.3
    assert gamma_of(gammas, curve, cost, 0.05) == 0.6
    assert gamma_of(gammas, curve, cost, 0.0) == 0.0
    assert gamma_of(gammas, curve[:3], cost[:3], 0.01, default=0.6) == 0.3  # the default pays too


def test_noise_does_not_move_gamma() -> None:
    gammas = np.linspace(0, 1, 11)
    rng = np.random.default_rng(2)
    slopes = rng.normal(size=(100, 30, 1))
    found = [
        gamma_of(gammas, 0.3 + 0.1 * slope * gammas, np.ones((30, 11)), default=0.3)
        for slope in slopes
    ]
    assert np.mean(np.array(found) != 0.3) < 0.2


def test_resampled_means_are_those_of_the_drawn_listeners() -> None:
    values = np.array([[1.0, 4.0], [2.0, np.nan], [6.0, 7.0]])
    counts = np.array([[1.0, 1.0, 1.0], [2.0, 1.0, 0.0], [0.0, 3.0, 0.0]])
    expected = [[9 / 3, 11 / 2], [4 / 3, 8 / 2], [6 / 3, np.nan]]
    np.testing.assert_allclose(resampled_means(counts, values), expected)


def test_the_interval_is_as_wide_as_the_standard_error_says() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0.4, 0.2, (2_000, 1))
    low, high = interval(resampled_means(resample_counts(2_000, 1_000, 0), values), 0.95)
    error = values.std() / np.sqrt(2_000)
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert low[0] < values.mean() < high[0]
