"""Intervals for shares and rates of small populations: Wilson, Garwood, quasi-Poisson."""

from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

LEVEL: Final = 0.95
NORMAL: Final = NormalDist().inv_cdf((1 + LEVEL) / 2)
"""Quantile of the normal law for an interval of `LEVEL`."""
DISPERSED_FROM: Final = 1.5
"""Variance over mean from which counts are no longer taken as Poisson (convention of U2)."""


def wilson(hits: npt.ArrayLike, trials: npt.ArrayLike, quantile: npt.ArrayLike = NORMAL) -> Numbers:
    """Return Wilson's interval of shares.

    On average over shares it covers what it says, even with three companies; at one given share
    close to 0 or 1 it may cover less (0.83 at worst with ten companies or fewer).

    Args:
        hits: Those concerned, 0 to `trials`; real numbers.
        trials: All of them, or as many as would say as much; an entry of 0 gives no interval.
        quantile: Of the normal law, or of Student's where the variance is estimated.

    Returns:
        Two rows, lower and upper ends as shares in [0, 1]; `NaN` where `trials` is 0.

    Source:
        Wilson 1927; specification U1.

    Examples:
        >>> wilson(14, 60).round(6).tolist()
        [0.144396, 0.354363]
        >>> wilson(0, 12).round(6).tolist()
        [0.0, 0.242494]
    """
    k, n = np.asarray(hits, float), np.asarray(trials, float)
    z = np.asarray(quantile, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / n
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    lower = np.where(k == 0, np.where(n > 0, 0.0, np.nan), centre - half)
    upper = np.where(k == n, np.where(n > 0, 1.0, np.nan), centre + half)
    return np.stack([lower, upper])


def garwood(count: npt.ArrayLike, dispersion: npt.ArrayLike = 1.0) -> Numbers:
    """Return the exact Poisson interval of expected counts, widened where counts are dispersed.

    Args:
        count: Requests counted.
        dispersion: Variance over mean of the requests of one firm; 1 gives Garwood's interval,
            more gives the quasi-Poisson one (a Poisson count in units of the dispersion).

    Returns:
        Two rows, lower and upper ends, in requests.

    Source:
        Garwood 1936; methodology U2.

    Examples:
        >>> (1000 * garwood(60) / 1450).round(6).tolist()
        [31.576773, 53.263375]
        >>> bool(garwood(60, 4.0)[1] > garwood(60)[1])
        True
    """
    from scipy import stats  # a second to load, for those who compute

    scale = np.asarray(dispersion, float)
    scaled = np.asarray(count, float) / scale
    tail = (1 - LEVEL) / 2
    lower = np.where(scaled > 0, stats.chi2.ppf(tail, 2 * np.maximum(scaled, 1e-12)) / 2, 0.0)
    upper = stats.chi2.ppf(1 - tail, 2 * (scaled + 1)) / 2
    return np.stack([scale * lower, scale * upper])


def dispersion(requests: npt.ArrayLike, squares: npt.ArrayLike, firms: npt.ArrayLike) -> Numbers:
    """Return the variance over the mean of the requests of one firm of the field.

    Args:
        requests: Requests of all firms together.
        squares: Sum of the squared requests of each firm; firms that never asked add 0.
        firms: Firms of the field, those that never asked included.

    Returns:
        The ratio; 1 where nothing was asked or fewer than two firms are there.

    Examples:
        >>> dispersion([4, 4], [4, 16], [100, 100]).round(2).tolist()
        [0.97, 4.0]
    """
    total, squared, n = (np.asarray(values, float) for values in (requests, squares, firms))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (squared - total**2 / n) / (n - 1)
        ratio = variance * n / total
    return np.where((total > 0) & (n > 1), ratio, 1.0)
