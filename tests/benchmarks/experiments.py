"""False alarms, coverage and power of experiments.

`python -m tests.benchmarks.experiments [--experiments N] [--first SEED]`

Experiments on the simulated product (tasks/sample/living.py) are read every day by the functions
that a run uses. Prints, by metric: how many of N experiments without effect show one when read
daily and when read once; of N with an effect, how many intervals cover the truth and how many find
the effect, beside the textbook's power of one reading; then segments where a variant makes people
listen more, and weights named without effect. One process, about 25 minutes for 1,000.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tasks.experiments.activity import readings
from tasks.experiments.effects import Effect, Estimate, Floats, compare_sums
from tasks.experiments.information import boundary
from tasks.experiments.metrics import METRICS
from tasks.experiments.results import information_of
from tasks.sample.feedback import FeedbackParameters
from tests.tasks.experiments.simulated import (
    DAYS,
    PARAMETERS,
    PATTERNS,
    Drawn,
    Paths,
    draw,
    metric_named,
    paths,
    power_of,
)

BATCH = 100
LISTENERS = 1_000
Z = 1.959964
NOTHING = FeedbackParameters(lift=0.0)
EFFECT = FeedbackParameters(lift=0.12, visits_lift=0.2)
MORE_VISITS = FeedbackParameters(lift=0.0, visits_lift=0.3)
SEGMENTS = 5
EDGES = np.array([2, 5, 10, 20])
"""Tracks played from which on a listener is in the second to fifth segment."""


@dataclass(frozen=True)
class Seeds:
    """Those of a table: ``count`` experiments from ``first`` on."""

    count: int
    first: int


def batches(seeds: Seeds, one: Callable[[int], Drawn]) -> Iterator[list[Drawn]]:
    """Draw experiments, not all at once."""
    end = seeds.first + seeds.count
    for start in range(seeds.first, end, BATCH):
        yield [one(seed) for seed in range(start, min(start + BATCH, end))]


def all_paths(seeds: Seeds, pattern: str, feedback: FeedbackParameters, seed: int) -> list[Paths]:
    """Read every metric of many experiments."""
    found: list[list[Paths]] = [[] for _ in METRICS]
    for drawn in batches(seeds, lambda one: draw(seed + one, LISTENERS, pattern, feedback)):
        for metric, parts in zip(METRICS, found, strict=True):
            parts.append(paths(metric, drawn))
    return [_joined(parts) for parts in found]


def _joined(parts: list[Paths]) -> Paths:
    def estimate(name: str) -> Estimate:
        sides = [getattr(part.effect, name) for part in parts]
        return Estimate(
            np.concatenate([side.value for side in sides]),
            np.concatenate([side.variance for side in sides]),
        )

    explained = np.concatenate([part.effect.explained for part in parts])
    return Paths(
        Effect(estimate("control"), estimate("treated"), explained),
        np.concatenate([part.z for part in parts]),
        np.concatenate([part.information for part in parts]),
    )


def false_alarms(seeds: Seeds) -> None:
    """Print how many experiments without effect show one."""
    print(f"\n{seeds.count:,} A/A for each row: share with an effect")
    columns = ("read daily", "at the end", "read once", "widest c", "last c")
    print(f"{'arrivals':9}{'metric':20}" + "".join(f"{name:>12}" for name in columns))
    for pattern in PATTERNS:
        for metric, found in zip(METRICS, all_paths(seeds, pattern, NOTHING, 0), strict=True):
            critical = found.critical
            passed = np.abs(found.z) > critical
            once = (np.abs(found.z[:, -1]) > Z).mean()
            widest, last = critical[found.information > 0].max(), np.median(critical[:, -1])
            print(
                f"{pattern:9}{metric.name:20}{passed.any(axis=1).mean():12.1%}"
                f"{passed[:, -1].mean():12.1%}{once:12.1%}{widest:12.2f}{last:12.2f}",
                flush=True,
            )


def coverage(seeds: Seeds) -> None:
    """Print how many intervals cover the truth, and how many effects are found."""
    print(f"\n{seeds.count:,} A/B, even arrivals, {LISTENERS:,} listeners")
    print(
        f"{'':22}{'true lift':>10}{'mean lift':>10}{'covers':>8}{'daily':>9}{'power':>8}"
        f"{'textbook':>9}"
    )
    for metric, lift, found in zip(
        METRICS, _truth(), all_paths(seeds, "even", EFFECT, 2 * 10**6), strict=True
    ):
        critical = found.critical
        low, high = found.effect.lift_interval(critical[:, -1])
        covered = ((low <= lift) & (lift <= high)).mean()
        power = (np.abs(found.z[:, -1]) > critical[:, -1]).mean()
        control = found.effect.control.value.mean()
        textbook = power_of(lift * control, found.effect.standard_error, Z).mean()
        daily = (np.abs(found.z) > critical).any(axis=1).mean()
        print(
            f"{metric.name:22}{lift:10.1%}{found.effect.lift.mean():10.1%}{covered:8.1%}"
            f"{daily:9.1%}{power:8.1%}{textbook:9.1%}",
            flush=True,
        )


def _truth(listeners: int = 100_000, times: int = 6) -> list[float]:
    """Return the lift of every metric among very many listeners."""
    sums: list[Floats] = [np.zeros((2, 5, 5)) for _ in METRICS]
    for seed in range(times):
        one = draw(10**6 + seed, listeners, "even", EFFECT)
        for place, metric in enumerate(METRICS):
            sums[place] += readings(
                metric, one.listeners, one.activity, (2, 1, DAYS + 31), PARAMETERS.cap
            ).sums[:, 0, -1]
    return [float(compare_sums(both[0], both[1]).lift) for both in sums]


def segments(seeds: Seeds) -> None:
    """Print false intervals of segments where a variant makes people listen more."""
    print(
        f"\n{seeds.count:,} A/A of clicks, one variant brings 30 % more visits: intervals without 0"
    )
    metric = metric_named("click_through_rate")
    alarms: dict[str, list[NDArray[np.bool_]]] = {"history now": [], "at first exposure": []}
    for drawn in batches(seeds, lambda seed: draw(3 * 10**6 + seed, 4_000, "even", MORE_VISITS)):
        for place, one in enumerate(drawn):
            rng = np.random.default_rng(place)
            before = rng.geometric(0.15, len(one.plays))
            for name, history in (
                ("history now", before + one.plays), ("at first exposure", before)
            ):  # fmt: skip
                people = replace(one.listeners, segment=np.searchsorted(EDGES, history, "right"))
                found = readings(
                    metric, people, one.activity.until(DAYS - 1), (2, SEGMENTS, DAYS),
                    PARAMETERS.cap,
                )  # fmt: skip
                effect = compare_sums(found.sums[0, :, -1], found.sums[1, :, -1])
                alarms[name].append(np.abs(effect.z) > Z)
    for name, rows in alarms.items():
        print(f"{name:22}" + "".join(f"{share:8.1%}" for share in np.mean(rows, axis=0)))


def weights(seeds: Seeds) -> None:
    """Print how often a weight is named although none is better."""
    print(f"\n{seeds.count:,} A/A/A in {SEGMENTS} segments, read daily: a weight is named")
    metric = metric_named("click_through_rate")
    together = PARAMETERS.alpha / (SEGMENTS * 2)
    named: dict[str, list[bool]] = {"each at 5 %": [], "all together": []}
    for drawn in batches(
        seeds, lambda seed: draw(4 * 10**6 + seed, 4_000, "even", NOTHING, 3, SEGMENTS)
    ):
        z, information = [], []
        for one in drawn:
            found = readings(
                metric, one.listeners, one.activity.until(DAYS - 1), (3, SEGMENTS, DAYS),
                PARAMETERS.cap,
            )  # fmt: skip
            for variant in (1, 2):
                for segment in range(SEGMENTS):
                    with np.errstate(all="ignore"):
                        effect = compare_sums(found.sums[0, segment], found.sums[variant, segment])
                    counted = found.counted[[0, variant], segment]
                    known = information_of(effect, counted, PARAMETERS.fewest_users)
                    information.append(known)
                    z.append(np.where(known > 0, np.nan_to_num(effect.z), 0.0))
        shape = (len(drawn), 2, SEGMENTS, DAYS)
        for name, level in (("each at 5 %", PARAMETERS.alpha), ("all together", together)):
            critical = boundary(np.array(information), DAYS, True, level).reshape(shape)
            values = np.array(z).reshape(shape)
            better, worse = values > critical, values < -critical
            won: NDArray[np.bool_] = np.logical_or(better.any(axis=1), worse.all(axis=1))
            named[name] += [bool(one.any()) for one in won]
    for name, rows in named.items():
        print(f"{name:22}{np.mean(rows):8.1%}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--experiments", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first experiment")
    parser.add_argument("--only", choices=sorted(TABLES), nargs="*", default=list(TABLES))
    given = parser.parse_args()
    for name in given.only:
        started = time.perf_counter()
        TABLES[name](Seeds(given.experiments, given.first))
        print(f"({name}: {time.perf_counter() - started:.0f} s)", flush=True)


TABLES: dict[str, Callable[[Seeds], None]] = {
    "false-alarms": false_alarms,
    "coverage": coverage,
    "segments": segments,
    "weights": weights,
}

if __name__ == "__main__":
    main()
