"""Simulate feedback on recommendations: an experiment with a known effect, on a living product.

A listener clicks an exposure with probability min(1, appeal of the track × match of the taste ×
liking of the listener × examination of the rank × (1 + lift in the variant `content`)). Liking
varies between listeners and is constant for each, so a listener's exposures are correlated, and
behaviour before the experiment explains part of the behaviour in it. Some events follow days after
their exposure, and the files of the last week repeat a day of the files before.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tasks.dataset.experiments import Experiment, Variant, naive
from tasks.experiments.assignment import variant_of
from tasks.sample.catalogue import Catalogue
from tasks.sample.living import (
    Product,
    ProductParameters,
    build_product,
    tracks_of_style,
    wanted_styles,
)
from tasks.sample.streams import stream

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

EXPERIMENT = Experiment.model_validate(
    {
        "name": "slider",
        "start": "2026-03-01",
        "end": "2026-03-29",
        "variants": (
            Variant(name="control", share=0.5),
            Variant(name="content", share=0.5, weight=0.2),
        ),
    }
)
LIFT = 0.15
"""True relative lift of the click rate in the variant `content`."""

BIAS = 0.7
"""Rank k is examined k^−0.7 times as often as rank 1."""

MATCH, OTHER = 1.25, 0.75
"""Factors of the click rate for tracks of the style that the listener likes, and for others."""

MOST_LISTENERS = 20_000
"""Maximum number of listeners who are shown anything."""

PLAYED, SECONDS = 0.75, 150.0
"""Share of clicks that become plays (the others are skips), and mean seconds of a play."""

SUBSCRIBED, CANCELLED = 0.05, 0.02
"""Probability that a click leads to a subscription, and a visit to a cancellation."""

DAY = 86_400
LATEST_DAYS = 5
"""Days after an exposure within which everything has followed."""

FILES = {"": (-np.inf, 21), "-last-week": (20, np.inf)}
"""Suffix of the files and the days that they hold; day 20 is in both."""

CONFIGURATION = f"""\
# crossfade run, in this folder, measures the experiment too.
INPUTS
[feedback.exposures]
path = "exposures*.csv"
id = "exposure_id"
user = "user_id"
track = "track_id"
rank = "rank"
experiment = "experiment"
variant = "variant"
at = "shown_at"

[feedback.events]
path = "events*.csv"
id = "event_id"
exposure = "exposure_id"
user = "user_id"
kind = "kind"
at = "at"
value = "seconds"

[[experiments]]
name = "{EXPERIMENT.name}"
start = {EXPERIMENT.start:%Y-%m-%d}
end = {EXPERIMENT.end:%Y-%m-%d}
variants = [
    {{ name = "control", share = 0.5 }},
    {{ name = "content", share = 0.5, weight = 0.2 }},
]
"""


class FeedbackParameters(BaseModel):
    """What is shown, and what the variant `content` changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lift: float = Field(default=LIFT, gt=-1)
    """Of the click rate; 0: no effect."""
    visits_lift: float = Field(default=0.0, gt=-1)
    """Of how often listeners come; 0: no effect."""
    list_length: int = Field(default=8, ge=1)
    """Tracks shown in a visit."""
    days_before: int = Field(default=28, ge=0)
    """Days before the experiment."""
    days: int = Field(default=28, ge=1)
    """Days of the experiment."""
    days_after: int = Field(default=0, ge=0)
    """Days after it in which listeners still come back; they are shown nothing then."""
    late: float = Field(default=0.05, ge=0, le=1)
    """Share of clicks that come a day after the exposure on average, not within a minute."""


@dataclass(frozen=True)
class Visits:
    """Visits by listener and time; second 0 is the start of the experiment."""

    listener: Ints
    second: Ints

    @property
    def is_return(self) -> Bools:
        """Tell which are not a listener's first."""
        order = np.lexsort((self.second, self.listener))
        again = np.zeros(len(order), np.bool_)
        again[order[1:]] = np.diff(self.listener[order]) == 0
        return again


@dataclass(frozen=True)
class Shown:
    """All exposures and what followed, one element each, by time."""

    listener: Ints
    second: Ints
    track: Ints
    rank: Ints
    clicked: Bools
    played: Bools
    """Clicks that are none were skips."""
    seconds: Floats
    followed_at: Ints
    """Second of the click, and of the play or skip."""
    subscribed: Bools

    @property
    def inside(self) -> Bools:
        """Tell which are within the experiment."""
        return self.second >= 0


def simulate(
    product: Product,
    treated: Bools,
    parameters: FeedbackParameters,
    enters: Ints | None = None,
) -> tuple[Visits, Shown]:
    """Draw the visits of all days, what was shown in them and what followed.

    ``enters`` is the day of the experiment on which each listener comes for the first time; None:
    as it happens.
    """
    visits = _visits(product, treated, parameters, enters)
    return visits, _shown(product, treated, parameters, visits)


def _visits(
    product: Product, treated: Bools, parameters: FeedbackParameters, enters: Ints | None
) -> Visits:
    listeners, days = [], []
    end = parameters.days + parameters.days_after
    for day in range(-parameters.days_before, end):
        more = np.where(treated & (day >= 0), 1.0 + parameters.visits_lift, 1.0)
        if enters is not None and day >= 0:
            more = np.where(day >= enters, more, 0.0)
            listeners.append(np.flatnonzero(enters == day))
            days.append(np.full(len(listeners[-1]), day))
        listeners.append(product.visits_on(day, more))
        days.append(np.full(len(listeners[-1]), day))
    rng = stream(product.parameters.seed, "seconds of visits")
    listener, day_of = np.concatenate(listeners), np.concatenate(days)
    second = day_of * DAY + rng.integers(0, DAY, len(listener))
    order = np.argsort(second, kind="stable")
    return Visits(listener[order], second[order])


def _shown(
    product: Product, treated: Bools, parameters: FeedbackParameters, visits: Visits
) -> Shown:
    """Draw a list for each visit until the experiment's end, and what followed."""
    rng = stream(product.parameters.seed, "feedback")
    seen = visits.second < parameters.days * DAY
    length = parameters.list_length
    listener = np.repeat(visits.listener[seen], length)
    second = np.repeat(visits.second[seen], length)
    rank = np.tile(np.arange(1, length + 1), int(seen.sum()))
    appeal = rng.beta(2.0, 10.0, len(product.style))
    day = second // DAY
    taste = product.taste_on(listener, day)
    wanted = wanted_styles(product, taste, rng)
    edges = np.flatnonzero(np.diff(day, prepend=day[0] - 1, append=day[-1] + 1))
    track = np.concatenate(
        [
            tracks_of_style(product, wanted[low:high], int(day[low]), rng)
            for low, high in pairwise(edges)
        ]
    )
    chance = appeal[track] * product.liking[listener] * rank.astype(np.float64) ** -BIAS
    chance *= np.where(product.style[track] == taste, MATCH, OTHER)
    chance *= np.where((second >= 0) & treated[listener], 1.0 + parameters.lift, 1.0)
    clicked = rng.random(len(chance)) < chance
    late = rng.random(len(chance)) < parameters.late
    wait = np.where(late, rng.exponential(DAY, len(chance)), rng.uniform(1, 60, len(chance)))
    return Shown(
        listener,
        second,
        track,
        rank,
        clicked,
        clicked & (rng.random(len(chance)) < PLAYED),
        np.rint(rng.exponential(SECONDS, len(chance))),
        second + np.minimum(wait, LATEST_DAYS * DAY).astype(np.int64),
        clicked & (second >= 0) & (rng.random(len(chance)) < SUBSCRIBED),
    )


def write_feedback(
    folder: Path,
    user_ids: pa.Array,
    track_ids: list[str],
    catalogue: Catalogue,
    seed: int,
    inputs: str,
) -> int:
    """Write exposures, events and ``crossfade.toml``; return the number of exposures.

    ``inputs`` are the lines of ``crossfade.toml`` that name the sample's files.
    """
    users = user_ids.slice(0, MOST_LISTENERS)
    appeal = np.exp(np.argsort(np.argsort(catalogue.appeal)) / len(track_ids))
    product = build_product(
        catalogue.style.astype(np.int64), appeal, len(users), ProductParameters(seed=seed)
    )
    variants = np.array([variant_of(one, EXPERIMENT) for one in users.to_pylist()], np.str_)
    visits, shown = simulate(product, variants == "content", FeedbackParameters())
    ids = pa.array([f"x{one:09}" for one in range(len(shown.listener))])
    outside = ~shown.inside
    exposures = pa.table(
        {
            "exposure_id": ids,
            "user_id": users.take(pa.array(shown.listener)),
            "track_id": pa.array(track_ids).take(pa.array(shown.track)),
            "rank": shown.rank,
            "experiment": pa.array(np.full(len(ids), EXPERIMENT.name), mask=outside),
            "variant": pa.array(variants[shown.listener], mask=outside),
            "shown_at": _moments(shown.second),
        }
    )
    events, happened = _events(visits, shown, ids, users, seed)
    for name, table, second in (
        ("exposures", exposures, shown.second), ("events", events, happened)
    ):  # fmt: skip
        for suffix, (first, end) in FILES.items():
            held = (second >= first * DAY) & (second < end * DAY)
            _write(folder / f"{name}{suffix}.csv", table.filter(pa.array(held)))
    configuration = CONFIGURATION.replace("INPUTS", inputs)
    (folder / "crossfade.toml").write_text(configuration, encoding="utf-8")
    return len(ids)


def _events(
    visits: Visits, shown: Shown, ids: pa.Array, users: pa.Array, seed: int
) -> tuple[pa.Table, Ints]:
    """Return the events, and the second of each."""
    rng = stream(seed, "cancellations")
    clicked, played = np.flatnonzero(shown.clicked), np.flatnonzero(shown.played)
    skipped = np.flatnonzero(shown.clicked & ~shown.played)
    subscribed = np.flatnonzero(shown.subscribed)
    back = np.flatnonzero(visits.is_return)
    gone = back[rng.random(len(back)) < CANCELLED]
    after = shown.followed_at
    # Events of an exposure carry its id; the others carry the listener's id.
    parts = [
        ("click", after[clicked], ids.take(pa.array(clicked)), None),
        ("play", after[played], ids.take(pa.array(played)), None),
        ("skip", after[skipped], ids.take(pa.array(skipped)), None),
        ("return", visits.second[back], None, visits.listener[back]),
        ("subscribe", after[subscribed], None, shown.listener[subscribed]),
        ("cancel", visits.second[gone], None, visits.listener[gone]),
    ]
    tables = []
    for kind, second, exposure, listener in parts:
        empty = pa.nulls(len(second), pa.string())
        seconds = pa.nulls(len(second), pa.float64())
        columns = {
            "event_id": pa.array([f"{kind}{one}" for one in range(len(second))], pa.string()),
            "exposure_id": empty if exposure is None else exposure,
            "user_id": empty if listener is None else users.take(pa.array(listener)),
            "kind": pa.array([kind] * len(second), pa.string()),
            "at": _moments(second),
            "seconds": pa.array(shown.seconds[played]) if kind == "play" else seconds,
        }
        tables.append(pa.table(columns))
    return pa.concat_tables(tables), np.concatenate([second for _, second, _, _ in parts])


def _moments(second: Ints) -> pa.Array:
    moments = naive(EXPERIMENT.start) + second.astype("timedelta64[s]")
    return pa.array(moments.astype("datetime64[s]"))


def _write(path: Path, table: pa.Table) -> None:
    options = pa.csv.WriteOptions(quoting_style="none", quoting_header="none")
    pa.csv.write_csv(table, path, write_options=options)
