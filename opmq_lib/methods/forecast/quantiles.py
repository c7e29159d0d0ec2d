"""From standardised past errors to quantiles.

A rolling origin gives one matrix of standardised errors z, (steps, series). All series of a panel
share its business cycles: an origin, not a series, is the unit of observation, so that quantiles
are averaged over origins and never pooled.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from opmq_lib.methods.forecast.series import Array
from opmq_lib.methods.forecast.settings import INDEPENDENT_HALF

DEFAULT_SPREAD = 1.3
"""The 80 % quantile of |z| where nothing can be learnt: what the public panels need on average."""

_DEFAULT_FREEDOM = 3.0


def error_quantiles(errors: Sequence[Array], steps: int, levels: Array, prior: float) -> Array:
    """Return the quantiles of the standardised error at each step, (h, levels).

    Args:
        errors: One (steps or fewer, series) matrix per origin; none: the defaults.
        steps: Horizon h.
        levels: Quantile levels, in (0, 1).
        prior: Errors that the default shape is worth.
    """
    if not errors:
        return np.tile(DEFAULT_SPREAD * default_shape(levels), (steps, 1))
    count = independent_errors(errors)
    trust = count / (count + INDEPENDENT_HALF)
    line = DEFAULT_SPREAD * (spread_line(errors, steps) / DEFAULT_SPREAD) ** trust
    return line[:, None] * error_shape(errors, line, levels, prior)


def default_shape(levels: Array) -> Array:
    """Return Student's quantiles with 3 degrees of freedom, where that at 90 % is 1.

    Examples:
        >>> default_shape(np.array([0.025, 0.1, 0.5, 0.9, 0.975])).round(2).tolist()
        [-1.94, -1.0, 0.0, 1.0, 1.94]
    """
    quantiles = stdtrit(_DEFAULT_FREEDOM, levels) / stdtrit(_DEFAULT_FREEDOM, 0.9)
    return np.where(levels == 0.5, 0.0, quantiles)


def spread_line(errors: Sequence[Array], steps: int) -> Array:
    """Return the spread of z at each step: a straight line through the steps' 80 % quantiles.

    Args:
        errors: One (steps or fewer, series) matrix per origin.
        steps: Horizon h.

    Returns:
        (h,) 80 % quantiles of |z|, geometric means over origins (weights √n), smoothed.

    Examples:
        >>> calm, stormy = np.linspace(-1, 1, 101), np.linspace(-4, 4, 101)
        >>> spread_line([np.tile(calm, (2, 1)), np.tile(stormy, (2, 1))], 3).round(3).tolist()
        [1.6, 1.6, 1.6]
    """
    logs, votes = np.zeros(steps), np.zeros(steps)
    for z in errors:
        vote = np.sqrt(z.shape[1])
        logs[: len(z)] += vote * np.log(np.maximum(np.quantile(np.abs(z), 0.8, axis=1), 1e-6))
        votes[: len(z)] += vote
    known = np.flatnonzero(votes)
    spread = np.exp(logs[known] / votes[known])
    degree = min(1, len(known) - 1)
    line = np.polyval(np.polyfit(known, spread, degree, w=np.sqrt(votes[known])), np.arange(steps))
    return np.clip(line, 0.5 * spread.min(), 1.5 * spread.max())


def independent_errors(errors: Sequence[Array]) -> float:
    """Return the number of independent errors that origins are worth, Σ n / (1 + (n - 1) r).

    A shock common to the series of an origin is one error, however many series it hits.

    Args:
        errors: One (steps or fewer, series) matrix per origin.

    Returns:
        That number, r being the share of the squared error that all series of an origin share:
        mean over steps, then origins; errors cut at four robust deviations.

    Examples:
        >>> independent_errors([np.tile([[-1.0, 1.0]], 50), np.ones((1, 100))])
        3.9...
    """
    shares = []
    for z in errors:
        most = 4 * np.median(np.abs(z), axis=1, keepdims=True) / ndtri(0.75)
        cut = np.clip(z, -most, most)
        shares.append(np.mean(np.square(cut.mean(axis=1)) / np.square(cut).mean(axis=1)))
    rho = np.mean(shares)
    return float(sum(z.shape[1] / (1 + (z.shape[1] - 1) * rho) for z in errors))


def error_shape(errors: Sequence[Array], line: Array, levels: Array, prior: float) -> Array:
    """Return the quantiles of z / line: the origins' mean, shrunk to the default shape.

    Args:
        errors: One (steps or fewer, series) matrix per origin.
        line: Spread at each step.
        levels: Quantile levels, in (0, 1).
        prior: Errors that the default shape is worth.

    Returns:
        One quantile per level, negative below 0.5, 0 at 0.5, positive above.
    """
    votes = [np.sqrt(z.shape[1]) for z in errors]
    shapes = [np.quantile(z / line[: len(z), None], levels) for z in errors]
    count = sum(z.size for z in errors)
    mean = np.average(shapes, axis=0, weights=votes)
    shape = (count * mean + prior * default_shape(levels)) / (count + prior)
    side = np.sign(np.round(levels - 0.5, 12))
    return side * np.maximum(side * shape, 0.0)
