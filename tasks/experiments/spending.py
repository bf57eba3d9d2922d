"""Critical values for intervals that may be read every day.

Group-sequential testing with an error-spending function (Lan & DeMets 1983). At the share t of the
planned information, at most the error 4 − 4Φ(z_{1−α/4} / √t) is spent, half on either side: little
early, most at the end (O'Brien & Fleming 1979). One per cent of the error is spent in proportion to
t instead, which keeps early critical values near 4 rather than near 12. Any mixture of spending
functions is one.

The critical values follow from the joint distribution of the readings by recursive integration
(Armitage, McPherson & Rowe 1969; Jennison & Turnbull 2000, chapter 19): the score S_k = Z_k √I_k
has independent increments of variance I_k − I_{k−1}. It is symmetric, so half of it is integrated.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, roots_legendre

Floats = NDArray[np.float64]

LINEAR = 0.01
"""Share of the error that is spent in proportion to the information."""

SAME = 0.01
"""A reading with less new information than this share is one with the reading before it: its
estimate is the same up to rounding, and steps that small cannot be integrated."""

_NODES = 48
_WIDEST = 8.0
"""The density is negligible beyond this many standard errors."""
_NEVER = 40.0
"""Critical value if there is no error to spend."""


def obrien_fleming(alpha: Floats | float, share: Floats) -> Floats:
    """Return the error spent by O'Brien and Fleming's shape up to each share of the information."""
    with np.errstate(divide="ignore"):
        spent: Floats = 4.0 * ndtr(ndtri(np.asarray(alpha) / 4.0) / np.sqrt(share))
    return spent


def spent(alpha: Floats | float, share: Floats) -> Floats:
    """Return the error that may be spent up to each share of the information, 0 ≤ share ≤ 1."""
    return (1.0 - LINEAR) * obrien_fleming(alpha, share) + LINEAR * np.asarray(alpha) * share


def critical_values(information: Floats, allowed: Floats) -> Floats:
    """Return the critical |Z| of every reading, both given as (series, readings).

    ``information`` does not fall from reading to reading; ``allowed`` is the error that each may
    spend. Readings without information get `_NEVER`.
    """
    series, readings = information.shape
    values = np.full((series, readings), _NEVER)
    nodes, weights = roots_legendre(_NODES)
    nodes, weights = (nodes + 1.0) / 2.0, weights / 2.0  # on [0, 1]
    # The density of |S| before the current group of readings, at `places`.
    places, mass = np.zeros((series, 1)), np.ones((series, 1))
    before = np.zeros(series)
    here, value, error = np.zeros(series), np.zeros(series), np.zeros(series)
    for k in range(readings):
        now = information[:, k]
        starts = (now - here > SAME * now) & (now > 0)
        moves = starts & (here > 0)
        if moves.any():
            if mass.shape[1] == 1:
                places = np.repeat(places, _NODES, axis=1)
                mass = np.concatenate([mass, np.zeros((series, _NODES - 1))], axis=1)
            edge = np.minimum(value[moves], _WIDEST) * np.sqrt(here[moves])
            reached = edge[:, None] * nodes
            step = np.sqrt(here[moves] - before[moves])
            density = _step(places[moves], mass[moves], reached, step)
            places[moves], mass[moves] = reached, density * edge[:, None] * weights
            before[moves] = here[moves]
        error = np.where(starts, allowed[:, k], error + allowed[:, k])
        here = np.where(starts, now, here)
        due = here > 0
        value[due] = _critical(places[due], mass[due], before[due], here[due], error[due])
        values[due, k] = value[due]
    return values


def _step(places: Floats, mass: Floats, reached: Floats, step: Floats) -> Floats:
    """Return the density of |S| at ``reached`` after one more step of normal increments."""
    scaled, to = places / step[:, None], reached / step[:, None]
    density = np.empty_like(reached)
    for row in range(len(reached)):  # one kernel at a time fits into the cache
        up = np.exp(-0.5 * (to[row][:, None] - scaled[row]) ** 2)
        up += np.exp(-0.5 * (to[row][:, None] + scaled[row]) ** 2)
        density[row] = up @ mass[row]
    stepped: Floats = density / (step[:, None] * np.sqrt(2.0 * np.pi))
    return stepped


def _critical(places: Floats, mass: Floats, before: Floats, here: Floats, error: Floats) -> Floats:
    """Return the |Z| that the remaining density exceeds with probability ``error``."""
    step = np.sqrt(here - before)[:, None]
    scale = np.sqrt(here)[:, None]

    def exceeds(z: Floats) -> Floats:
        edge = z[:, None] * scale
        tails = ndtr((places - edge) / step) + ndtr((-places - edge) / step)
        total: Floats = (mass * tails).sum(axis=1)
        return total

    low, high = np.zeros(len(here)), np.full(len(here), _NEVER)
    # log P is nearly linear in z², so that false position in z² converges in a few rounds.
    target = np.log(np.maximum(error, 1e-280))
    at_low, at_high = np.log(exceeds(low)), np.full(len(here), -800.0)
    done = at_low <= target
    for turn in range(60):
        if turn % 3 == 2:  # bisection now and then bounds the number of rounds
            z = (low + high) / 2.0
        else:
            share = np.clip((at_low - target) / np.maximum(at_low - at_high, 1e-300), 1e-6, 1.0)
            z = np.sqrt(low**2 + share * (high**2 - low**2))
        found = np.log(np.maximum(exceeds(z), 1e-300))
        above = found > target
        low, at_low = np.where(above, z, low), np.where(above, found, at_low)
        high, at_high = np.where(above, high, z), np.where(above, at_high, found)
        if np.all(done | (high - low < 1e-9) | (np.abs(found - target) < 1e-11)):
            break
    solved: Floats = np.where(error < 1e-250, _NEVER, np.where(done, 0.0, z))
    return solved
