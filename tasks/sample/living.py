"""A living product: listeners who come, tracks that are released, tastes that drift, day by day.

Day 0 is any day; what is there before it has negative days. A track has a style. A listener likes
one style at a time, moves on to the next one every 1 / drift days, and plays mostly tracks of it.
All is drawn from named streams of one seed, and each day from its own, so that a day is the same
whichever days are drawn before it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tasks.sample.streams import stream

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ALWAYS = -(10**6)
"""Day of what was there before all days that are drawn."""

FAITHFUL = 0.8
"""Share of a listener's plays that are of the style liked at the time."""


class ProductParameters(BaseModel):
    """How a product lives; equal parameters give equal days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: int = Field(default=28, ge=1)
    """Days from day 0 on in which listeners and tracks are new."""
    new_listeners: float = Field(default=0.1, ge=0, lt=1)
    """Share of the listeners who join in these days, evenly."""
    new_tracks: float = Field(default=0.05, ge=0, lt=1)
    """Share of the tracks that are released in these days, evenly."""
    drift: float = Field(default=0.02, ge=0)
    """Changes of taste for each listener and day."""
    visits: float = Field(default=0.1, gt=0)
    """Visits of an average listener in a day."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


@dataclass(frozen=True)
class Product:
    """Tracks and listeners, by position."""

    style: Ints
    """Of each track."""
    appeal: Floats
    """Of each track: how often it is played, within its style."""
    released: Ints
    """Day of each track, or `ALWAYS`."""
    joined: Ints
    """Day of each listener, or `ALWAYS`."""
    liking: Floats
    """Of each listener, 1 on average: how often they come, and how readily they click."""
    taste: Floats
    """Of each listener on day 0: the style, and by the fraction when it changes."""
    parameters: ProductParameters

    @property
    def styles(self) -> int:
        """Number of styles."""
        return int(self.style.max()) + 1

    def taste_on(self, listener: Ints, day: Ints | int) -> Ints:
        """Return the style that listeners like on a day."""
        moved = np.floor(self.taste[listener] + self.parameters.drift * np.asarray(day))
        return moved.astype(np.int64) % self.styles

    def visits_on(self, day: int, more: Floats | float = 1.0) -> Ints:
        """Return the listener of every visit of a day; ``more`` multiplies how often they come."""
        rng = stream(self.parameters.seed, "visits", day % 2**32)
        visits = rng.poisson(self.parameters.visits * self.liking * more * (self.joined <= day))
        return np.repeat(np.arange(len(visits)), visits)


@dataclass(frozen=True)
class Day:
    """What happened on one day."""

    day: int
    listeners: Ints
    """Who joined."""
    tracks: Ints
    """Which were released."""
    played_by: Ints
    """Listener of each play."""
    played: Ints
    """Track of each play."""


def build_product(
    style: Ints, appeal: Floats, listeners: int, parameters: ProductParameters
) -> Product:
    """Draw listeners and dates for tracks of given styles and appeals."""
    rng = stream(parameters.seed, "product")
    return Product(
        style=style,
        appeal=appeal,
        released=dates(len(style), parameters.new_tracks, parameters.days, rng),
        joined=dates(listeners, parameters.new_listeners, parameters.days, rng),
        liking=rng.gamma(4.0, 0.25, listeners),
        taste=rng.random(listeners) * (int(style.max()) + 1),
        parameters=parameters,
    )


def dates(count: int, new: float, days: int, rng: np.random.Generator) -> Ints:
    """Return the day from which each is there: one of ``days`` for a share ``new``, or `ALWAYS`."""
    return np.where(rng.random(count) < new, rng.integers(0, days, count), ALWAYS)


def live(product: Product, day: int, plays_per_visit: float = 3.0) -> Day:
    """Return one day of the whole product, for simulations of releases."""
    visits = product.visits_on(day)
    rng = stream(product.parameters.seed, "plays of a day", day % 2**32)
    played_by = np.repeat(visits, rng.poisson(plays_per_visit, len(visits)))
    wanted = wanted_styles(product, product.taste_on(played_by, day), rng)
    return Day(
        day,
        np.flatnonzero(product.joined == day),
        np.flatnonzero(product.released == day),
        played_by,
        tracks_of_style(product, wanted, day, rng),
    )


def wanted_styles(product: Product, taste: Ints, rng: np.random.Generator) -> Ints:
    """Draw the style of each play by listeners of these tastes: mostly that, else any."""
    any_style = rng.integers(0, product.styles, len(taste))
    return np.where(rng.random(len(taste)) < FAITHFUL, taste, any_style)


def tracks_of_style(product: Product, wanted: Ints, day: int, rng: np.random.Generator) -> Ints:
    """Draw a released track of each wanted style by appeal; any track where the style has none."""
    there = np.flatnonzero(product.released <= day)
    order = there[np.argsort(product.style[there], kind="stable")]
    reach = np.cumsum(product.appeal[order])
    ends = np.searchsorted(product.style[order], np.arange(product.styles), side="right")
    high = np.concatenate([[0.0], reach])[ends]
    low = np.concatenate([[0.0], high[:-1]])
    empty = high[wanted] <= low[wanted]
    start = np.where(empty, 0.0, low[wanted])
    stop = np.where(empty, reach[-1], high[wanted])
    at = np.searchsorted(reach, start + rng.random(len(wanted)) * (stop - start), side="right")
    chosen: Ints = order[np.minimum(at, len(order) - 1)]
    return chosen
