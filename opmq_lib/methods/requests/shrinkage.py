"""Shares of many branches drawn towards their common distribution: empirical Bayes."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special

from opmq_lib.methods.requests.intervals import LEVEL, Numbers

LEAST_BRANCHES: Final = 5
"""Branches below which nothing is shrunk (convention of U1)."""

_MEANS: Final = special.expit(np.linspace(-5, 5, 61))
_STRENGTHS: Final = np.exp(np.linspace(np.log(0.5), np.log(2000), 30))

_VAGUE: Final = np.log(_MEANS * (1 - _MEANS))[:, None] - np.log(_STRENGTHS)[None, :] / 2
"""Logarithm of the weight of each prior, on the scales of the grid."""


class Shrunk(NamedTuple):
    """Shrunk shares: `value`, `lower` and `upper` of each branch; the prior Beta(`a`, `b`)."""

    value: Numbers
    lower: Numbers
    upper: Numbers
    a: float
    b: float


def correlation(levels: pd.DataFrame) -> float:
    """Return the correlation between the requests of one company, pooled over branches.

    Args:
        levels: From `levels.levels`, a row per branch.

    Examples:
        >>> levels = pd.DataFrame({"companies": [4], "requests": [8.0], "value": [0.5],
        ...                        "variance": [0.0625], "mean_size": [2.0]})
        >>> correlation(levels)
        1.0
    """
    kept = levels[(levels["companies"] >= 2) & levels["value"].gt(0) & levels["value"].lt(1)]
    one_request = kept["value"] * (1 - kept["value"]) * kept["requests"]
    pairs = float((one_request * (kept["mean_size"] - 1)).sum())
    if pairs == 0:
        return 0.0
    excess = float((kept["requests"] ** 2 * kept["variance"] - one_request).sum())
    return min(max(excess / pairs, 0.0), 1.0)


def shrink(hits: npt.ArrayLike, trials: npt.ArrayLike) -> Shrunk:
    """Return every branch's share drawn towards the others, with its interval.

    The prior of the share is the Beta(a, b) that makes the counts of all branches most likely. The
    interval does not take it for certain, else it would be too narrow with few branches: it
    averages the posterior over priors on a grid (a + b from 0.5 to 2,000), by their likelihood and
    the vague weight (a + b)^(-5/2) of Gelman et al., Bayesian Data Analysis, 5.3.

    Args:
        hits: Requests not covered, one per branch; real numbers.
        trials: Requests, as many as would say as much if independent; 0 gives the common share.

    Returns:
        As many shares as branches; all `NaN` with fewer than `LEAST_BRANCHES` branches that asked.

    Source:
        Specification U1, across branches.

    Examples:
        >>> shrink([0, 2, 30, 5, 40], [4, 20, 60, 50, 90]).value.round(2).tolist()
        [0.15, 0.14, 0.48, 0.12, 0.43]
        >>> bool(np.isnan(shrink([1, 2], [5, 5]).value).all())
        True
    """
    k, n = np.asarray(hits, float), np.asarray(trials, float)
    if int((n > 0).sum()) < LEAST_BRANCHES:
        none = np.full(len(k), np.nan)
        return Shrunk(none, none, none, np.nan, np.nan)
    means, strengths = _MEANS[:, None], _STRENGTHS[None, :]
    surface = _log_likelihood(k, n, means * strengths, (1 - means) * strengths)
    row, column = np.unravel_index(int(surface.argmax()), surface.shape)
    a, b = _likeliest(k, n, float(_MEANS[row]), float(_STRENGTHS[column]))
    value = (k + a) / (n + a + b)
    surface = surface + _VAGUE
    weights = np.exp(surface - surface.max())
    kept = weights > 3e-3
    lower, upper = _mixture_ends(k, n, kept, weights[kept] / weights[kept].sum())
    return Shrunk(value, np.minimum(lower, value), np.maximum(upper, value), a, b)


def _likeliest(k: Numbers, n: Numbers, mean: float, strength: float) -> tuple[float, float]:
    """Return the a and b that make the counts most likely, from a start; a + b up to 2,000."""
    asked, missed = n[n > 0], k[n > 0]

    def cost(at: Numbers) -> tuple[float, Numbers]:
        share, size = special.expit(at[0]), np.exp(at[1])
        a, b = share * size, (1 - share) * size
        of_sum = special.psi(asked + size) - special.psi(size)
        by_a = float((special.psi(missed + a) - special.psi(a) - of_sum).sum())
        by_b = float((special.psi(asked - missed + b) - special.psi(b) - of_sum).sum())
        slope = np.array([size * share * (1 - share) * (by_a - by_b), a * by_a + b * by_b])
        return -float(_log_likelihood(k, n, a, b)), -slope

    bounds = [(-8.0, 8.0), (np.log(_STRENGTHS[0]), np.log(_STRENGTHS[-1]))]
    start, options = [special.logit(mean), np.log(strength)], {"ftol": 0.0, "gtol": 1e-10}
    best = optimize.minimize(cost, start, jac=True, bounds=bounds, options=options).x
    share, size = float(special.expit(best[0])), float(np.exp(best[1]))
    return share * size, (1 - share) * size


def _log_likelihood(k: Numbers, n: Numbers, a: npt.ArrayLike, b: npt.ArrayLike) -> Numbers:
    """Return the log-likelihood of priors: as many as `a` and `b` have."""
    a, b = np.asarray(a), np.asarray(b)
    each = (slice(None), *(None,) * a.ndim)
    k, n = k[n > 0][each], n[n > 0][each]
    total: Numbers = (special.betaln(k + a, n - k + b) - special.betaln(a, b)).sum(axis=0)
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
