"""Shares of many branches drawn towards their common distribution: empirical Bayes."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from opmq_lib.methods.requests.intervals import LEVEL, Numbers

LEAST_BRANCHES: Final = 5
"""Branches below which nothing is shrunk (convention of U1)."""

_MEANS: Final = special.expit(np.linspace(-5, 5, 61))
_STRENGTHS: Final = np.exp(np.linspace(np.log(0.5), np.log(2000), 30))

_VAGUE: Final = np.log(_MEANS * (1 - _MEANS))[:, None] - np.log(_STRENGTHS)[None, :] / 2
"""Logarithm of the weight of each prior, on the scales of the grid."""


class Shrunk(NamedTuple):
    """Shrunk shares: `value`, `lower` and `upper` of each branch, and the prior Beta(a, b)."""

    value: Numbers
    lower: Numbers
    upper: Numbers
    a: float
    b: float


def fit(hits: npt.ArrayLike, trials: npt.ArrayLike) -> tuple[float, float]:
    """Return the Beta(a, b) that makes the counts of all branches most likely.

    The likelihood is that of beta-binomial counts; its maximum is looked for on a grid of means
    and strengths (a + b from 0.5 to 2,000), then between the grid's points.

    Args:
        hits: Companies concerned, one per branch.
        trials: Companies that asked, one per branch.

    Source:
        Methodology U1.

    Examples:
        >>> a, b = fit([1, 9, 2, 8, 1, 9], [10] * 6)
        >>> bool(0.45 < a / (a + b) < 0.55 and a + b < 5)
        True
    """
    surface = _log_likelihood(hits, trials)
    top = np.unravel_index(int(surface.argmax()), surface.shape)
    mean, strength = float(_MEANS[top[0]]), float(_STRENGTHS[top[1]])
    return mean * strength, (1 - mean) * strength


def shrink(hits: npt.ArrayLike, trials: npt.ArrayLike, level: float = LEVEL) -> Shrunk:
    """Return every branch's share drawn towards the others, with its interval.

    The interval does not take the fitted prior for certain, else it would be too narrow with few
    branches: it averages the posterior over all priors, by their likelihood and the vague weight
    (a + b)^(-5/2) of Gelman et al., Bayesian Data Analysis, 5.3.

    Args:
        hits: Companies concerned, one per branch.
        trials: Companies that asked, one per branch; 0 gives the common share.
        level: Level of the central interval.

    Returns:
        As many shares as branches; all `NaN` with fewer than `LEAST_BRANCHES` branches that asked.

    Examples:
        >>> shrink([0, 2, 30, 5, 40], [4, 20, 60, 50, 90]).value.round(2).tolist()
        [0.15, 0.13, 0.48, 0.12, 0.44]
        >>> bool(np.isnan(shrink([1, 2], [5, 5]).value).all())
        True
    """
    k, n = np.asarray(hits, float), np.asarray(trials, float)
    if int((n > 0).sum()) < LEAST_BRANCHES:
        none = np.full(len(k), np.nan)
        return Shrunk(none, none, none, float("nan"), float("nan"))
    surface = _log_likelihood(k, n)
    a, b = fit(k, n)
    value = (k + a) / (n + a + b)
    surface = surface + _VAGUE
    weights = np.exp(surface - surface.max())
    kept = weights > 3e-3
    lower, upper = _mixture_ends(k, n, kept, weights[kept] / weights[kept].sum(), level)
    return Shrunk(value, np.minimum(lower, value), np.maximum(upper, value), a, b)


def _log_likelihood(hits: npt.ArrayLike, trials: npt.ArrayLike) -> Numbers:
    """Return the log-likelihood of the grid: one row per mean, one column per strength."""
    k, n = np.asarray(hits, float), np.asarray(trials, float)
    asked = n > 0
    k, n = k[asked, None, None], n[asked, None, None]
    a = _MEANS[None, :, None] * _STRENGTHS[None, None, :]
    b = (1 - _MEANS[None, :, None]) * _STRENGTHS[None, None, :]
    each = special.betaln(k + a, n - k + b) - special.betaln(a, b)
    total: Numbers = each.sum(axis=0)
    return total


def _mixture_ends(
    k: Numbers, n: Numbers, kept: npt.NDArray[np.bool_], weights: Numbers, level: float
) -> tuple[Numbers, Numbers]:
    """Return the ends of the interval of a weighed mixture of Beta posteriors, by halving."""
    rows, columns = np.nonzero(kept)
    a = _MEANS[rows] * _STRENGTHS[columns]
    b = (1 - _MEANS[rows]) * _STRENGTHS[columns]
    yes, no = k[:, None] + a[None, :], (n - k)[:, None] + b[None, :]
    ends = []
    for target in ((1 - level) / 2, (1 + level) / 2):
        low, high = np.zeros(len(k)), np.ones(len(k))
        for _ in range(16):
            middle = (low + high) / 2
            below = special.betainc(yes, no, middle[:, None]) @ weights < target
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        ends.append((low + high) / 2)
    return ends[0], ends[1]
