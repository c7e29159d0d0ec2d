"""Two sides compared at equal topic, companies as clusters: score test and interval (U3)."""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from opmq_lib.methods.requests.intervals import LEVEL, Numbers

Flags = npt.NDArray[np.bool_]

LEAST_A_SIDE: Final = 10
LEAST_CONCERNED: Final = 5
LEAST_CONCERNED_A_SIDE: Final = 2
LEAST_EXPECTED: Final = 3.0
LEAST_IN_STRATA: Final = 0.5
FALSE_DISCOVERY_RATE: Final = 0.10
LARGEST_P: Final = 0.05
"""Conventions of U3: companies a side, companies concerned in all and a side, companies expected to
be concerned where fewer are, share of requests in the strata, false claims, size of the test."""


class Evidence(NamedTuple):
    """What companies say of the difference of two sides; axes …, company(, side).

    A company without request in the strata adds 0 and is not counted.

    Attributes:
        alpha: Part of each company in the numerator of the difference.
        beta: Part in its denominator.
        asked: Requests in the strata, by side.
        unmet: Of these, not covered.
        whole: Requests in all, by side.
    """

    alpha: Numbers
    beta: Numbers
    asked: Numbers
    unmet: Numbers
    whole: Numbers


class Difference(NamedTuple):
    """A difference of shares, first side minus second: `NaN` where the data cannot say.

    Attributes:
        value: The difference; `lower` and `upper` may lie beyond -1 and 1, and are missing where
            only the direction is known.
        lower: Lower end of the 95 % interval.
        upper: Upper end.
        p_value: Of no difference: below 0.05 if and only if the interval excludes 0.
    """

    value: Numbers
    lower: Numbers
    upper: Numbers
    p_value: Numbers


def evidence(asked: Numbers, unmet: Numbers, *, by_company: bool) -> Evidence:
    """Return what each company says of the difference between two sides, at equal stratum.

    Strata that one side does not ask about are left out.

    Args:
        asked: Requests; axes …, company, side, stratum.
        unmet: Of these, not covered, or not covered for one reason.
        by_company: Whether each company counts 1, or each request.

    Source:
        Specification U3: Mantel–Haenszel difference with the score as a sum over companies.
    """
    whole = asked.sum(axis=-1)
    in_strata = (asked.sum(axis=-3, keepdims=True) > 0).all(axis=-2, keepdims=True)
    n, u = asked * in_strata, unmet * in_strata
    of_company = n.sum(axis=(-1, -2))
    weight = 1 / np.maximum(of_company, 1) if by_company else np.ones_like(of_company)
    weighed, missed = n * weight[..., None, None], u * weight[..., None, None]
    total = weighed.sum(axis=(-2, -3), keepdims=True)
    total = np.where(total > 0, total, 1.0)
    first = weighed[..., :1, :].sum(axis=-3, keepdims=True) / total
    mean = missed.sum(axis=(-2, -3), keepdims=True) / total
    apart = np.array([[1.0], [0.0]]) - first
    alpha = (apart * (missed - mean * weighed)).sum(axis=(-1, -2))
    beta = (weighed * apart**2).sum(axis=(-1, -2))
    return Evidence(alpha, beta, n.sum(axis=-1), u.sum(axis=-1), whole)


def together(parts: Sequence[Evidence]) -> Evidence:
    """Return the evidence of several branches: their strata stay apart."""
    alpha, beta, *sides = zip(*parts, strict=True)
    ends = [np.concatenate(each, axis=-2) for each in sides]
    return Evidence(np.concatenate(alpha, axis=-1), np.concatenate(beta, axis=-1), *ends)


def difference(given: Evidence) -> Difference:
    """Return the difference of the two sides, with the interval that inverts the score test.

    Args:
        given: From `evidence`, of many replicates at once if wanted.

    Returns:
        All `NaN` where too few companies say anything (`nd`): see the conventions above.

    Examples:
        Twelve companies a side ask once; 8 and 2 are not covered.

        >>> asked = np.zeros((24, 2, 1)); asked[:12, 0] = asked[12:, 1] = 1
        >>> unmet = asked.copy(); unmet[8:12] = 0; unmet[14:] = 0
        >>> found = difference(evidence(asked, unmet, by_company=True))
        >>> [round(float(each), 3) for each in found]
        [0.5, 0.092, 0.908, 0.024]
    """
    from scipy import stats  # a second to load, for those who compute

    a, b = given.alpha.sum(axis=-1), given.beta.sum(axis=-1)
    aa, ab, bb = (
        (x * y).sum(axis=-1) for x, y in combinations_with_replacement((given.alpha, given.beta), 2)
    )
    m = (given.asked.sum(axis=-1) > 0).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa = m / (m - 1)
        q = stats.t.ppf((1 + LEVEL) / 2, np.maximum(m - 2, 1))
        wide = q**2 * kappa
        c_2, c_1, c_0 = b**2 - wide * bb, -(a * b - wide * ab), a**2 - wide * aa
        root = np.sqrt(np.maximum(c_1**2 - c_2 * c_0, 0))
        statistic = a / np.sqrt(kappa * aa)
        p_value = 2 * stats.t.sf(np.abs(statistic), np.maximum(m - 2, 1))
        value, ends = a / b, [(-c_1 - root) / c_2, (-c_1 + root) / c_2]
        spread = aa - 2 * value * ab + value**2 * bb
    can = _can_compare(given) & (aa > 0) & (c_2 > 0)
    only_direction = spread <= 1e-12 * aa
    lower, upper = (np.where(can & ~only_direction, end, np.nan) for end in ends)
    return Difference(np.where(can, value, np.nan), lower, upper, np.where(can, p_value, np.nan))


def _can_compare(given: Evidence) -> Flags:
    """Return where enough companies of both sides are concerned, and enough are not."""
    there = given.asked > 0
    unmet, covered = given.unmet > 0, given.asked > given.unmet
    sides = there.sum(axis=-2)
    fine = (sides >= LEAST_A_SIDE).all(axis=-1)
    for each in (unmet, covered):
        fine &= each.any(axis=-1).sum(axis=-1) >= LEAST_CONCERNED
    requests = given.asked.sum(axis=-1)
    own = given.unmet.sum(axis=-1) / np.where(requests > 0, requests, 1)
    mean = own.sum(axis=-1) / np.maximum((requests > 0).sum(axis=-1), 1)
    expected = np.minimum(mean, 1 - mean) * sides.min(axis=-1)
    seen = np.minimum(unmet.sum(axis=-2), covered.sum(axis=-2)).min(axis=-1)
    fine &= (seen >= LEAST_CONCERNED_A_SIDE) | (expected >= LEAST_EXPECTED)
    inside, whole = given.asked.sum(axis=-2), given.whole.sum(axis=-2)
    return np.asarray(fine & (inside >= LEAST_IN_STRATA * whole).all(axis=-1))


def retained(p_values: npt.ArrayLike) -> Flags:
    """Return which differences are shown: small enough by itself and among all that were tested.

    Args:
        p_values: Of every comparison, also of those that may not be published; `NaN`: not compared.

    Source:
        Benjamini and Hochberg 1995, at `FALSE_DISCOVERY_RATE`.

    Examples:
        >>> retained([0.001, 0.04, 0.3, np.nan]).tolist()
        [True, True, False, False]
        >>> retained([0.001, 0.04, *[0.3] * 8]).tolist()[:2]
        [True, False]
    """
    from scipy import stats  # a second to load, for those who compute

    p = np.asarray(p_values, float)
    tested = ~np.isnan(p)
    kept = np.zeros(len(p), dtype=bool)
    if tested.any():
        adjusted = stats.false_discovery_control(p[tested])
        kept[tested] = (adjusted <= FALSE_DISCOVERY_RATE * (1 + 1e-12)) & (p[tested] <= LARGEST_P)
    return kept
