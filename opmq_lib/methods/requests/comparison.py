"""Two shares compared: Newcombe's interval, the exact tests of Boschloo and Fisher, strata."""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from opmq_lib.methods.requests.intervals import LEVEL, Numbers, wilson

Counts = npt.NDArray[np.int64]

LARGEST: Final = 1000
"""Companies of both groups together beyond which Boschloo's test gives way to Fisher's."""

_GRID: Final = 65
_ROUNDS: Final = 3


def newcombe(hits: npt.ArrayLike, trials: npt.ArrayLike, level: float = LEVEL) -> Numbers:
    """Return the difference of two independent shares, first minus second, and its interval.

    Args:
        hits: Companies concerned: two numbers, one a group, or two rows.
        trials: Companies of each group; `NaN` where one is 0.
        level: Nominal level, between 0 and 1.

    Returns:
        Difference, lower and upper end, in [-1, 1].

    Source:
        Newcombe 1998, method 10 (from two Wilson intervals); methodology U3.

    Examples:
        >>> newcombe((14, 6), (60, 52)).round(6).tolist()
        [0.117949, -0.026902, 0.253669]
    """
    (low_1, low_2), (high_1, high_2) = wilson(hits, trials, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = np.asarray(hits, float) / np.asarray(trials, float)
    difference = first - second
    lower = difference - np.hypot(first - low_1, high_2 - second)
    upper = difference + np.hypot(high_1 - first, second - low_2)
    return np.array([difference, lower, upper])


def fisher(hits: tuple[int, int], trials: tuple[int, int]) -> float:
    """Return Fisher's exact two-sided p-value of two shares being equal.

    Examples:
        >>> round(fisher((14, 6), (60, 52)), 6)
        0.138847
    """
    table = [list(hits), [trials[0] - hits[0], trials[1] - hits[1]]]
    return float(stats.fisher_exact(table).pvalue)


def boschloo(hits: tuple[int, int], trials: tuple[int, int]) -> float:
    """Return Boschloo's exact two-sided p-value of two shares being equal.

    The one-sided test takes as extreme every table whose Fisher p-value is no larger, and the
    largest probability of those tables over the common share; the two-sided value is twice the
    smaller side, 1 at most. Beyond `LARGEST` companies Fisher's exact test answers instead: it is
    then as good as the same, and quick.

    Args:
        hits: Companies concerned in each group.
        trials: Companies of each group, both above 0.

    Source:
        Boschloo 1970; methodology U3. Same definition as `scipy.stats.boschloo_exact`.

    Examples:
        >>> round(boschloo((14, 6), (60, 52)), 5)
        0.1205
    """
    (k_1, k_2), (n_1, n_2) = hits, trials
    if n_1 + n_2 > LARGEST:
        return fisher(hits, trials)
    return min(1.0, 2 * min(_more(k_1, k_2, n_1, n_2), _more(k_2, k_1, n_2, n_1)))


def mantel_haenszel(strata: list[tuple[tuple[int, int], tuple[int, int]]]) -> tuple[float, Numbers]:
    """Return the common difference of shares over strata, with its interval.

    Args:
        strata: `(hits, trials)` of each stratum, as in `newcombe`; those with an empty group say
            nothing and are left out.

    Returns:
        The difference (first minus second) weighed by Mantel and Haenszel, and its 95 % interval;
        `NaN` with fewer than two strata.

    Source:
        Sato 1989 (variance); methodology U3.

    Examples:
        >>> difference, ends = mantel_haenszel([((14, 6), (60, 52)), ((5, 2), (20, 20))])
        >>> round(difference, 4), ends.round(4).tolist()
        (0.1264, [0.0081, 0.2447])
    """
    full = [(hits, trials) for hits, trials in strata if min(trials) > 0]
    if len(full) < 2:
        return float("nan"), np.array([np.nan, np.nan])
    (x, y), (n, m) = (np.array(values, float).T for values in zip(*full, strict=True))
    weights = n * m / (n + m)
    difference = float(np.sum(weights * (x / n - y / m)) / np.sum(weights))
    p_terms = (n**2 * y - m**2 * x + n * m * (m - n) / 2) / (n + m) ** 2
    q_terms = (x * (m - y) + y * (n - x)) / (2 * (n + m))
    variance = (difference * np.sum(p_terms) + np.sum(q_terms)) / np.sum(weights) ** 2
    half = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt(max(float(variance), 0.0))
    return difference, np.array([difference - half, difference + half])


def _more(k_1: int, k_2: int, n_1: int, n_2: int) -> float:
    """Return the one-sided p-value against a first share above the second."""
    observed = float(stats.hypergeom.sf(k_1 - 1, n_1 + n_2, k_1 + k_2, n_1))
    firsts = np.arange(n_1 + 1, dtype=np.int64)
    lasts = _last_extreme(firsts, n_1, n_2, observed * (1 + 1e-9))
    low, high, best = 0.0, 1.0, 0.0
    for _ in range(_ROUNDS):
        shares = np.linspace(low, high, _GRID)
        found = _probability(firsts, lasts, shares, n_1, n_2)
        top = int(found.argmax())
        best = max(best, float(found[top]))
        low, high = shares[max(top - 1, 0)], shares[min(top + 1, _GRID - 1)]
    return best


def _last_extreme(firsts: Counts, n_1: int, n_2: int, observed: float) -> Counts:
    """Return, for each first count, the largest second count whose table is as extreme; -1: none.

    Fisher's p-value grows with the second count, so that a search by halves finds it.
    """
    low = np.full(n_1 + 1, -1, dtype=np.int64)
    high = np.full(n_1 + 1, n_2, dtype=np.int64)
    while (low < high).any():
        middle = (low + high + 1) // 2
        extreme = stats.hypergeom.sf(firsts - 1, n_1 + n_2, firsts + middle, n_1) <= observed
        low = np.where(extreme, middle, low)
        high = np.where(extreme, high, middle - 1)
    return low


def _probability(firsts: Counts, lasts: Counts, shares: Numbers, n_1: int, n_2: int) -> Numbers:
    """Return the probability of the extreme tables under each common share."""
    some = lasts >= 0
    drawn = stats.binom.pmf(firsts[some, None], n_1, shares[None, :])
    rows, columns = np.nonzero(drawn > 1e-17)
    drawn[rows, columns] *= stats.binom.cdf(lasts[some][rows], n_2, shares[columns])
    total: Numbers = drawn.sum(axis=0)
    return total
