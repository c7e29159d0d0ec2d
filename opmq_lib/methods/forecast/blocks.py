"""Series in blocks of one length, and what the grid of models says of each.

Series run along the last axis: every step is then a matrix product or a pass over contiguous
numbers, and a series' numbers do not depend on its neighbours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from opmq_lib.methods.forecast.grid import SLICES
from opmq_lib.methods.forecast.operators import Plan, Single, plan
from opmq_lib.methods.forecast.series import Array, Index, Panel
from opmq_lib.methods.forecast.settings import T_MAX, Settings

Real = TypeVar("Real", Array, Single)

BLOCK_SERIES = 512
"""Series per block: what the processor's cache holds."""

_QUANTUM = 2.0**-16
"""Shifted and scaled values are rounded to this: rescaling a series then changes no bit of them."""


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
        spread: (n,) mean absolute difference of y, on the scale of x.
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
        plan: The grid's operators for the block's length.
        squares: (P, N) sums of squared residuals, floor included.
        loglik: (P, N) log-likelihoods.
        forecasts: (h, P, N) forecasts of x.
    """

    plan: Plan
    squares: Single
    loglik: Single
    forecasts: Single


def transform(values: Array, root: bool) -> Array:
    """Return z: √y, the scale on which counts have a stable variance, or y itself."""
    return np.sqrt(np.maximum(values, 0.0)) if root else values


def inverse(values: Real, root: bool) -> Real:
    """Return y from z, never negative on the square-root scale."""
    return np.square(np.maximum(values, 0.0)) if root else values


def blocks(panel: Panel, chosen: Index) -> Iterator[Block]:
    """Yield the chosen series in blocks of one length and one scale, in the panel's order.

    Args:
        panel: The series.
        chosen: Positions of series that vary.

    Yields:
        Blocks of at most `BLOCK_SERIES` series.
    """
    lengths, ends = np.minimum(panel.lengths, T_MAX), panel.starts + panel.lengths
    key = (2 * lengths + (panel.lowest >= 0))[chosen]
    for group in np.unique(key):
        members = chosen[key == group]
        for some in np.split(members, range(BLOCK_SERIES, len(members), BLOCK_SERIES)):
            padded = np.pad(some, (0, -len(some) % 16), mode="edge")
            values = panel.flat[ends[padded] + np.arange(-(group // 2), 0)[:, None]]
            yield _block(some, values, bool(group % 2))


def _block(index: Index, values: Array, root: bool) -> Block:
    """Return the block of (T, N) values, oldest year first, N the number of series padded."""
    z, n = transform(values, root), len(index)
    scale = np.sqrt(np.mean(np.square(np.diff(z, axis=0)), axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    path = np.rint((z[:-1] - z[-1]) / (scale * _QUANTUM)) * _QUANTUM
    spread = np.mean(np.abs(np.diff(values, axis=0)), axis=0) / (scale**2 if root else scale)
    return Block(index, path.astype(np.float32), z[-1, :n], scale[:n], root, spread[:n])


def evidence(part: Block, steps: int, growth: float, settings: Settings) -> Evidence:
    """Return what every model says of a block: S = <Q, x x'>, log L and F x.

    Args:
        part: The block.
        steps: Horizon h.
        growth: Yearly growth of x around which models work: x loses it, forecasts regain it.
        settings: The engine's constants.

    Returns:
        The evidence; log L omits constants.
    """
    known = plan(part.length, steps)
    before = np.arange(1 - part.length, 0, dtype=np.float32)[:, None]
    ahead = np.arange(1, steps + 1, dtype=np.float32)[:, None, None]
    x = part.path - np.float32(growth) * before
    row, column = np.triu_indices(len(x))
    squares = known.quadratic @ (x[row] * x[column])
    np.maximum(squares, np.float32(0), out=squares)
    squares += np.float32(settings.floor * part.length)
    loglik = np.float32(-(part.length - 2) / 2) * np.log(squares) - known.half_logdet
    forecasts = (known.forecast @ x).reshape(steps, -1, x.shape[1])
    forecasts += np.float32(growth) * ahead
    return Evidence(known, squares, loglik, forecasts)


def weights(loglik: Single, prior: Array) -> Single:
    """Return the points' weights: prior times likelihood inside a family, the prior's sum between.

    The families' own likelihoods are left out: on short series they are overconfident.

    Args:
        loglik: (P, N) log-likelihoods.
        prior: (P,) weights of the points.

    Returns:
        (P, N), summing to the sum of `prior` for every series.
    """
    out = loglik + np.log(np.maximum(prior, 1e-30)).astype(np.float32)[:, None]
    for place in SLICES:
        inside = np.exp(out[place] - out[place].max(axis=0))
        out[place] = inside * (np.float32(prior[place].sum()) / inside.sum(axis=0))
    return out


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
    center = np.einsum("pn,hpn->hn", weight, forecasts)
    between = np.einsum("pn,hpn,hpn->hn", weight, forecasts, forecasts) - np.square(center)
    between = np.maximum(between, np.float32(1e-9))
    tolerance = np.float32(0.3) * np.sqrt(between)
    for _ in range(steps):
        pull = forecasts - center[:, None]
        np.add(np.abs(pull, out=pull), tolerance[:, None], out=pull)
        np.divide(weight, pull, out=pull)
        center = np.einsum("hpn,hpn->hn", pull, forecasts) / pull.sum(axis=1)
        tolerance = tolerance / np.float32(3)
    return center, between


def mixture(evidence: Evidence, weight: Single, settings: Settings) -> tuple[Array, Array]:
    """Return the forecast of x and its standard deviation, (h, N) each.

    The forecast stays within three root-mean-square differences a step: never explosive. The
    variance is the models' own, Σ w σ² c with σ² shrunk to its prior, and that between them.
    """
    center, between = weighted_median(weight, evidence.forecasts, settings.median_steps)
    bound = 3.0 * np.arange(1, len(center) + 1)[:, None]
    prior = np.float32(settings.prior_years * settings.prior_variance)
    years = np.float32(settings.prior_years + evidence.plan.length - 2)
    errors = weight * (evidence.squares + prior) / years
    within = evidence.plan.variance[: len(center)] @ errors
    variance = within + np.float32(settings.between_weight) * between
    return np.clip(center.astype(float), -bound, bound), np.sqrt(variance.astype(float))
