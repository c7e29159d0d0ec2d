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
    """Shrunk shares: `value`, `lower` and `upper` of each branch."""

    value: Numbers
    lower: Numbers
    upper: Numbers


def shrink(hits: npt.ArrayLike, trials: npt.ArrayLike) -> Shrunk:
    """Return every branch's share drawn towards the others, with its interval.

    The prior of the share is the Beta(a, b) that makes the counts of all branches most likely, on a
    grid of means and strengths (a + b from 0.5 to 2,000); the likelihood is that of beta-binomial
    counts. The interval does not take it for certain, else it would be too narrow with few
    branches: it averages the posterior over all priors, by their likelihood and the vague weight
    (a + b)^(-5/2) of Gelman et al., Bayesian Data Analysis, 5.3.

    Args:
        hits: Companies concerned, one per branch.
        trials: Companies that asked, one per branch; 0 gives the common share.

    Returns:
        As many shares as branches; all `NaN` with fewer than `LEAST_BRANCHES` branches that asked.

    Source:
        Methodology U1.

    Examples:
        >>> shrink([0, 2, 30, 5, 40], [4, 20, 60, 50, 90]).value.round(2).tolist()
        [0.15, 0.13, 0.48, 0.12, 0.44]
        >>> bool(np.isnan(shrink([1, 2], [5, 5]).value).all())
        True
    """
    k, n = np.asarray(hits, float), np.asarray(trials, float)
    if int((n > 0).sum()) < LEAST_BRANCHES:
        none = np.full(len(k), np.nan)
        return Shrunk(none, none, none)
    surface = _log_likelihood(k, n)
    likeliest, strength = np.unravel_index(int(surface.argmax()), surface.shape)
    a, b = (share * _STRENGTHS[strength] for share in (_MEANS[likeliest], 1 - _MEANS[likeliest]))
    value = (k + a) / (n + a + b)
    surface = surface + _VAGUE
    weights = np.exp(surface - surface.max())
    kept = weights > 3e-3
    lower, upper = _mixture_ends(k, n, kept, weights[kept] / weights[kept].sum())
    return Shrunk(value, np.minimum(lower, value), np.maximum(upper, value))


def _log_likelihood(k: Numbers, n: Numbers) -> Numbers:
    """Return the log-likelihood of the grid: one row per mean, one column per strength."""
    asked = n > 0
    k, n = k[asked, None, None], n[asked, None, None]
    a = _MEANS[None, :, None] * _STRENGTHS[None, None, :]
    b = (1 - _MEANS[None, :, None]) * _STRENGTHS[None, None, :]
    each = special.betaln(k + a, n - k + b) - special.betaln(a, b)
    total: Numbers = each.sum(axis=0)
    return total


def _mixture_ends(
    k: Numbers, n: Numbers, kept: npt.NDArray[np.bool_], weights: Numbers
) -> tuple[Numbers, Numbers]:
    """Return the ends of the interval of a weighed mixture of Beta posteriors, by halving."""
    rows, columns = np.nonzero(kept)
    a = _MEANS[rows] * _STRENGTHS[columns]
    b = (1 - _MEANS[rows]) * _STRENGTHS[columns]
    yes, no = k[:, None] + a[None, :], (n - k)[:, None] + b[None, :]
    ends = []
    for target in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        low, high = np.zeros(len(k)), np.ones(len(k))
        for _ in range(16):
            middle = (low + high) / 2
            below = special.betainc(yes, no, middle[:, None]) @ weights < target
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        ends.append((low + high) / 2)
    return ends[0], ends[1]
