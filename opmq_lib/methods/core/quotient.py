"""How over-represented a métier is in a branch: a location quotient that small counts do not fool.

Observed jobs O are Poisson with mean θ·ε, where ε is what the branch would have if it were like the
country; θ has a Gamma(a, b) prior of mean 1. Its parameters are fixed, so that adding a métier
changes no other quotient.
"""

import numpy as np
import pandas as pd
from scipy import stats

from opmq_lib.errors import Defect, RangeError

PRIOR = 4.0
"""Shape and rate of the prior of θ: a = b, of mean 1; source: convention, C1."""
INTERVAL_LEVEL = 0.90
SPECIFIC_FROM = 1.25
"""Quotient above which a métier is called specific; source: convention, C1."""


def location_quotient(
    headcount: pd.Series, branch_total: float, national_share: pd.Series, prior: float = PRIOR
) -> pd.DataFrame:
    """Return the location quotient of each métier with its 90 % interval.

    Args:
        headcount: Jobs of the branch by métier, in heads.
        branch_total: Jobs of the whole branch, in heads.
        national_share: Share of each métier in national employment, from 0 excluded to 1, same
            index; missing where the métier has no national figure.
        prior: Shape and rate of the Gamma prior.

    Returns:
        Same index: `expected` (heads), `raw`, `value` (shrunk), `lower`, `upper` (ratios) and
        `specific_probability`, that the quotient exceeds `SPECIFIC_FROM`. Missing where the share
        is.

    Raises:
        RangeError: If a share is not in (0, 1], or a headcount negative.

    Source:
        Methodology, C1.

    Examples:
        >>> found = location_quotient(pd.Series([31.0, 0.0]), 5200, pd.Series([0.0018, 0.0018]))
        >>> found[["raw", "value"]].round(6).to_numpy().tolist()
        [[3.311966, 2.61976], [0.0, 0.299401]]
    """
    bad = national_share[(national_share <= 0) | (national_share > 1)].index
    negative = headcount[headcount < 0].index
    defects = [
        Defect(f"national share of {code}", "not a share", "above 0, up to 1", "correct it")
        for code in bad
    ] + [
        Defect(f"jobs of {code}", "a negative number of jobs", "≥ 0", "correct it")
        for code in negative
    ]
    if defects:
        raise RangeError(defects)
    expected = branch_total * national_share
    shape, rate = headcount + prior, expected + prior
    tail = (1 - INTERVAL_LEVEL) / 2
    theta = stats.gamma(shape.to_numpy(float), scale=1 / rate.to_numpy(float))
    found = pd.DataFrame(
        {
            "expected": expected,
            "raw": headcount / expected,
            "value": shape / rate,
            "lower": theta.ppf(tail),
            "upper": theta.ppf(1 - tail),
            "specific_probability": theta.sf(SPECIFIC_FROM),
        },
        index=headcount.index,
    )
    return found.where(np.isfinite(expected))
