"""The share of requests not covered: its interval when companies ask several times (U1)."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from opmq_lib.errors import RangeError
from opmq_lib.methods.requests.intervals import LEVEL, NORMAL, Numbers, wilson

LEAST_CORRELATION: Final = 0.1
"""Correlation taken at least between the requests of one company (convention of U1)."""
LEAST_COMPANIES: Final = 5
"""Companies below which a share is `nd` (convention of U1)."""


def levels(
    asked: npt.ArrayLike, unmet: npt.ArrayLike, cell: npt.ArrayLike, cells_count: int
) -> pd.DataFrame:
    """Return the share of requests not covered of each cell, companies taken as clusters.

    Args:
        asked: Requests of a company in a cell, one entry per company and cell.
        unmet: Of these, not covered.
        cell: Number of the cell, from 0.
        cells_count: Cells in all.

    Returns:
        One row per cell: `companies` that asked, `requests`, `value`, `lower`, `upper` (shares),
        `variance` of the share, `mean_size` (requests of a request's company), `effective_size`
        (requests that would say as much if independent), `degrees_of_freedom`, `company_mean`
        (mean of the companies' own shares), `status`: `np` without request, `nd` below
        `LEAST_COMPANIES` companies.

    Raises:
        RangeError: If more requests are not covered than asked.

    Source:
        Specification U1: Wilson's interval, CR2 variance, Satterthwaite's degrees of freedom.

    Examples:
        Six companies ask eight requests, of which three are not covered.

        >>> table = levels([1, 1, 2, 1, 2, 1], [0, 1, 0, 1, 1, 0], np.zeros(6, int), 1)
        >>> table[["companies", "requests"]].to_numpy().tolist()
        [[6.0, 8.0]]
        >>> table[["value", "lower", "upper"]].round(3).to_numpy().tolist()
        [[0.375, 0.09, 0.784]]
    """
    n, u, at = np.asarray(asked, float), np.asarray(unmet, float), np.asarray(cell, int)
    if (u > n).any():
        raise RangeError.of(
            "requests", "more requests not covered than asked", "at most those asked",
            "correct the register",
        )  # fmt: skip
    kept = n > 0
    n, u, at = n[kept], u[kept], at[kept]

    def total(values: Numbers) -> Numbers:
        return np.bincount(at, values, cells_count).astype("float64")

    with np.errstate(divide="ignore", invalid="ignore"):
        companies, requests = total(np.ones(len(n))), total(n)
        share = total(u) / requests
        left = 1 - n / requests[at]
        a, b = n / left, n / np.sqrt(left)
        squares = total(b**2) / requests
        freedom = (total(a) - squares) ** 2
        table = pd.DataFrame(
            {
                "companies": companies,
                "requests": requests,
                "value": share,
                "variance": total((u - share[at] * n) ** 2 / left) / requests**2,
                "mean_size": total(n**2) / requests,
                "degrees_of_freedom": freedom
                / (total(a**2) - 2 * total(a * b**2) / requests + squares**2),
                "company_mean": total(u / n) / companies,
            }
        )
        ends = _interval(table)
    few = companies < LEAST_COMPANIES
    ends.loc[few, ["lower", "upper"]] = np.nan
    status = np.select([requests == 0, few], ["np", "nd"], "value")
    return table.join(ends).assign(status=status)


def _interval(table: pd.DataFrame) -> pd.DataFrame:
    """Return the requests that would say as much if independent, and both ends."""
    from scipy import stats  # a second to load, for those who compute

    share, requests = table["value"], table["requests"]
    least = requests / (1 + LEAST_CORRELATION * (table["mean_size"] - 1))
    own = np.where(table["variance"] > 0, share * (1 - share) / table["variance"], least)
    one_sided = (share == 0) | (share == 1)
    size = np.where(one_sided, table["companies"], np.fmin(own, least))
    student = stats.t.ppf((1 + LEVEL) / 2, table["degrees_of_freedom"])
    lower, upper = wilson(share * size, size, np.where(one_sided, NORMAL, student))
    return pd.DataFrame({"effective_size": size, "lower": lower, "upper": upper})
