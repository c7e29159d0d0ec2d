"""Series in blocks of one length, and what the grid of models says of each.

Series run along the last axis: every step is then a matrix product or a pass over contiguous
numbers, and a series' numbers do not depend on its neighbours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from opmq_lib.forecast.grid import SIZES, SLICES, STARTS, Array
from opmq_lib.forecast.operators import Plan, Single
from opmq_lib.forecast.settings import SMALL_COUNT_MEAN, T_MAX, Settings

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
Real = TypeVar("Real", Array, Single)

BLOCK_SERIES = 512
"""Series per block: what the processor's cache holds."""

_QUANTUM = 2.0**-16
"""Shifted and scaled values are rounded to this: rescaling a series then changes no bit of them."""


@dataclass(frozen=True)
class Panel:
    """Annual series of unequal lengths, end to end.

    Attributes:
        flat: All values, series after series, oldest year first.
        lengths: Number of years of each series.
    """

    flat: Array
    lengths: Index

    @property
    def starts(self) -> Index:
        """Where each series begins in `flat`."""
        return np.cumsum(self.lengths) - self.lengths

    def take(self, chosen: Index, dropped_years: int = 0) -> "Panel":
        """Return the chosen series without their last years.

        Args:
            chosen: Positions of series longer than `dropped_years`.
            dropped_years: Years cut from the end of each.

        Returns:
            A panel in the order of `chosen`.

        Examples:
            >>> panel = Panel(np.array([1.0, 2, 3, 7, 8]), np.array([3, 2]))
            >>> panel.take(np.array([1, 0]), dropped_years=1).flat.tolist()
            [7.0, 1.0, 2.0]
        """
        lengths = self.lengths[chosen] - dropped_years
        ends = np.cumsum(lengths)
        offset = np.repeat(self.starts[chosen] - ends + lengths, lengths)
        return Panel(self.flat[np.arange(ends[-1] if len(ends) else 0) + offset], lengths)

    def until(self, known_years: Index) -> "Panel":
        """Return the first years of each series; those without a known year are left out.

        Args:
            known_years: Years kept, one number per series.

        Examples:
            >>> panel = Panel(np.array([1.0, 2, 3, 7, 8]), np.array([3, 2]))
            >>> panel.until(np.array([2, 0])).flat.tolist()
            [1.0, 2.0]
        """
        year = np.arange(len(self.flat)) - np.repeat(self.starts, self.lengths)
        seen = year < np.repeat(known_years, self.lengths)
        return Panel(self.flat[seen], known_years[known_years > 0])


@dataclass(frozen=True)
class Block:
    """Series of one length on the engine's scale: z = √y where y ≥ 0, else y; x = (z - z_T) / rms.

    Attributes:
        index: (n,) positions in the panel.
        path: (T - 1, N) x of the years before the last, which is 0; N ≥ n,
            a multiple of 16, repeating the last series.
        last: (n,) z_T.
        scale: (n,) root mean square of z's differences.
        root: Whether z = √y.
        spread: (n,) mean absolute difference of y, in `reduced` units.
    """

    index: Index
    path: Single
    last: Array
    scale: Array
    root: bool
    spread: Array

    @property
    def length(self) -> int:
        """Number of years T."""
        return len(self.path) + 1


@dataclass(frozen=True)
class Evidence:
    """What the grid says of a block: P points, N series (padded), h steps.

    Attributes:
        squares: (P, N) sums of squared residuals, floor included.
        loglik: (P, N) log-likelihoods.
        forecasts: (h, P, N) forecasts of x.
    """

    squares: Single
    loglik: Single
    forecasts: Single


def transform(values: Array, root: bool) -> Array:
    """Return z: √y, the scale on which counts have a stable variance, or y itself."""
    return np.sqrt(np.maximum(values, 0.0)) if root else values


def inverse(values: Real, root: bool) -> Real:
    """Return y from z, never negative on the square-root scale."""
    return np.square(np.maximum(values, 0.0)) if root else values


def _reduce(panel: Panel, by: np.ufunc, values: Array) -> Array:
    if not len(panel.lengths):
        return np.zeros(0)
    return np.asarray(by.reduceat(values, panel.starts), dtype=float)


def varies(panel: Panel) -> Mask:
    """Return, per series, whether a model can be fitted: three years or more, not all equal."""
    same = _reduce(panel, np.minimum, panel.flat) == _reduce(panel, np.maximum, panel.flat)
    return np.asarray((panel.lengths >= 3) & ~same)


def count_units(panel: Panel) -> Array:
    """Return the unit of each small count, 0 for every other series.

    A small count is made of whole multiples of one unit and averages under `SMALL_COUNT_MEAN`
    units. The unit is the greatest common divisor of the first value and the differences, by
    Euclid's algorithm: a count told in thousands is known for what it is.

    Args:
        panel: The series.

    Returns:
        One unit per series.

    Examples:
        >>> count_units(Panel(np.array([2.0, 3, 5, 0.5, 1.5, 3.5, 1.03, 2.77, 9.1]), np.full(3, 3)))
        array([1. , 0.5, 0. ])
    """
    moves = np.abs(np.diff(panel.flat, prepend=0.0))
    moves[panel.starts] = np.abs(panel.flat[panel.starts])
    divisor = _smallest(panel, moves)
    mean = _reduce(panel, np.add, panel.flat) / panel.lengths
    counted = (_reduce(panel, np.minimum, panel.flat) >= 0) & np.isfinite(divisor)
    small = np.flatnonzero(counted & (mean < SMALL_COUNT_MEAN * divisor))
    units = np.zeros(len(panel.lengths))
    units[small] = common_divisor(Panel(moves, panel.lengths).take(small), divisor[small])
    return np.where(mean < SMALL_COUNT_MEAN * units, units, 0.0)


def common_divisor(moves: Panel, divisor: Array) -> Array:
    """Return each series' greatest common divisor, 0 if five rounds of Euclid find none.

    Args:
        moves: Non-negative numbers.
        divisor: The smallest positive one of each series.

    Returns:
        One divisor per series.
    """
    for _ in range(5):
        per_value = np.repeat(divisor, moves.lengths)
        quotient = moves.flat / per_value
        remainder = np.abs(quotient - np.rint(quotient))
        remainder[remainder < 1e-9 * np.maximum(quotient, 1.0)] = 0.0
        rest = _smallest(moves, remainder * per_value)
        found = np.isinf(rest)
        divisor = np.where(found, divisor, rest)
    return np.where(found, divisor, 0.0)


def _smallest(panel: Panel, values: Array) -> Array:
    return _reduce(panel, np.minimum, np.where(values > 0, values, np.inf))


def blocks(panel: Panel, chosen: Index) -> Iterator[Block]:
    """Yield the chosen series in blocks of one length and one scale, in the panel's order.

    Args:
        panel: The series.
        chosen: Positions of series that vary.

    Yields:
        Blocks of at most `BLOCK_SERIES` series.
    """
    lengths = np.minimum(panel.lengths[chosen], T_MAX)
    root = _reduce(panel, np.minimum, panel.flat)[chosen] >= 0
    ends = (panel.starts + panel.lengths)[chosen]
    key = 2 * lengths + root
    for group in np.unique(key):
        members = np.flatnonzero(key == group)
        years = np.arange(-(group // 2), 0)
        for first in range(0, len(members), BLOCK_SERIES):
            some = members[first : first + BLOCK_SERIES]
            padded = np.append(some, np.repeat(some[-1:], -len(some) % 16))
            values = panel.flat[ends[padded] + years[:, None]]
            yield block(chosen[some], values, bool(group % 2))


def block(index: Index, values: Array, root: bool) -> Block:
    """Return one block from its series' values.

    Args:
        index: (n,) positions in the panel.
        values: (T, N) values, oldest year first; N ≥ n, a multiple of 16.
        root: Whether z = √y.

    Returns:
        The block.
    """
    z, count = transform(values, root), len(index)
    scale = np.sqrt(np.mean(np.square(np.diff(z, axis=0)), axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    path = np.rint((z[:-1] - z[-1]) / (scale * _QUANTUM)) * _QUANTUM
    spread = np.mean(np.abs(np.diff(values, axis=0)), axis=0) / (scale**2 if root else scale)
    single = path.astype(np.float32)
    return Block(index, single, z[-1, :count], scale[:count], root, spread[:count])


def products(path: Single) -> Single:
    """Return x_i x_j for i ≤ j, (T(T-1)/2, N), in the order of `Plan.quadratic`."""
    years, series = path.shape
    out = np.empty((years * (years + 1) // 2, series), dtype=np.float32)
    start = 0
    for year in range(years):
        np.multiply(path[year:], path[year], out=out[start : start + years - year])
        start += years - year
    return out


def evidence(plan: Plan, path: Single, growth: float, settings: Settings) -> Evidence:
    """Return what every model says of a block: S = <Q, x x'>, log L and F x.

    Args:
        plan: The grid's operators for the block's length.
        path: (T - 1, N) the block's x.
        growth: Yearly growth of x around which models work: x loses it, forecasts regain it.
        settings: The engine's constants.

    Returns:
        The evidence; log L omits constants.
    """
    steps = len(plan.variance)
    before = np.arange(1 - plan.length, 0, dtype=np.float32)[:, None]
    detrended = path - np.float32(growth) * before
    squares = np.maximum(plan.quadratic @ products(detrended), np.float32(0))
    squares += np.float32(settings.floor * plan.length)
    loglik = np.log(squares)
    loglik *= np.float32(-(plan.length - 2) / 2)
    loglik -= plan.half_logdet
    forecasts = (plan.forecast @ detrended).reshape(steps, -1, path.shape[1])
    forecasts += np.float32(growth) * np.arange(1, steps + 1, dtype=np.float32)[:, None, None]
    return Evidence(squares, loglik, forecasts)


def weights(loglik: Single, log_prior: Single, shares: Array) -> Single:
    """Return the points' weights: prior times likelihood inside a family, `shares` between them.

    The families' own likelihoods are left out: on short series they are overconfident.

    Args:
        loglik: (P, N) log-likelihoods.
        log_prior: (P, 1) log of the prior inside each family.
        shares: (families,) weights of the families.

    Returns:
        (P, N), summing to the sum of `shares` for every series.
    """
    out = loglik + log_prior
    for place, share in zip(SLICES, shares, strict=True):
        inside = out[place]
        inside -= inside.max(axis=0)
        np.exp(inside, out=inside)
        inside *= np.float32(share) / inside.sum(axis=0)
    return out


def family_means(weight: Single, forecasts: Single) -> Single:
    """Return each family's mean forecast, (h, families, N), given weights that sum to 1 inside."""
    return np.add.reduceat(weight * forecasts, STARTS, axis=1)


def weighted_median(weight: Single, forecasts: Single, steps: int) -> tuple[Single, Single]:
    """Return the weighted median over the grid, and the variance between its models.

    Weiszfeld's iteration m ← Σ w f/|f - m| / Σ w/|f - m|, from the weighted mean, with a distance
    floor that shrinks: no sort.

    Args:
        weight: (P, N), summing to 1.
        forecasts: (h, P, N).
        steps: Iterations; 0 gives the mean.

    Returns:
        Median (h, N) and variance (h, N).
    """
    scratch = weight * forecasts
    center = scratch.sum(axis=1)
    scratch *= forecasts
    between = np.maximum(scratch.sum(axis=1) - np.square(center), np.float32(1e-9))
    tolerance = np.float32(0.3) * np.sqrt(between)
    for _ in range(steps):
        np.subtract(forecasts, center[:, None], out=scratch)
        np.abs(scratch, out=scratch)
        scratch += tolerance[:, None]
        np.divide(weight, scratch, out=scratch)
        total = scratch.sum(axis=1)
        scratch *= forecasts
        center = scratch.sum(axis=1) / total
        tolerance /= np.float32(3)
    return center, between


def within(plan: Plan, weight: Single, squares: Single, settings: Settings) -> Single:
    """Return the models' own forecast variance, Σ w σ² c, (h, N), σ² shrunk to its prior."""
    prior = np.float32(settings.prior_years * settings.prior_variance)
    years = np.float32(settings.prior_years + plan.length - 2)
    return np.asarray(plan.variance @ (weight * (squares + prior) / years), dtype=np.float32)


def mixture(plan: Plan, found: Evidence, weight: Single, settings: Settings) -> tuple[Array, Array]:
    """Return the forecast of x and its standard deviation, (h, N) each.

    The forecast stays within three root-mean-square differences a step: never explosive.
    """
    center, between = weighted_median(weight, found.forecasts, settings.median_steps)
    bound = 3.0 * np.arange(1, len(center) + 1)[:, None]
    variance = within(plan, weight, found.squares, settings)[: len(center)]
    variance = variance + np.float32(settings.between_weight) * between
    return np.clip(center.astype(float), -bound, bound), np.sqrt(variance.astype(float))


def normalise(prior: Array) -> Array:
    """Return a prior over the grid's points, rescaled to sum to 1 inside each family."""
    return np.asarray(prior / np.repeat(np.add.reduceat(prior, STARTS), SIZES))
