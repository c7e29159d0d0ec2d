"""Career-end departures of one company: how many to expect, how many at most, in whole persons.

The law of a métier and of the company alike: a sum of binomials over age bands, whose rates share
one error. The company pools its métiers inside a band.

Source: method page, P3 (rates) and P1 (their error).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from opmq_lib.errors import CoherenceError, Defect, refuse
from opmq_lib.methods.needs.cohorts import Array
from opmq_lib.tables import input_errors
from opmq_lib.tables.columns import COUNTED_BANDS
from opmq_lib.tables.indicators import ALL_METIERS

HORIZONS: Final = (1, 3, 5)
"""Years; rates are those of five years, spread evenly, and serve no further."""

LOG_ODDS_SD: Final = 0.25
"""Of the log-odds of all rates together: our own departure rates beside official ones, what métiers
share, the ages of a branch (method page, P1)."""
NODES: Final = ((-(3**0.5), 1 / 6), (0.0, 2 / 3), (3**0.5, 1 / 6))
"""Where that error is looked at, in standard deviations, and with which weights: the three nodes
that give back the first five moments of a normal law."""
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
"""Levels of the range and of what is probable: at least 90 % inside."""
ROUNDING: Final = 1e-12


def company(
    heads: pd.DataFrame, rates: pd.DataFrame, horizons: Sequence[int] = HORIZONS
) -> pd.DataFrame:
    """Return the career-end departures to expect in one company.

    Args:
        heads: The company's employees, contract `company_heads`: `metier_code`, `age_band`
            (those under 45, not counted, or one of `COUNTED_BANDS`), `employees_headcount`, whole.
        rates: Contract `company_rates`: `metier_code`, `age_band` of `COUNTED_BANDS`,
            `departure_rate_pct`, in % of the heads per year.
        horizons: Years from now, 5 at most.

    Returns:
        One row per métier that has somebody and horizon, then the company (`ENS`):
        `counted_headcount` (45 or more, or of unknown age), `departures_headcount` (the median:
        what is probable), `lower` and `upper` (smallest numbers not passed with 5 % and with 95 %
        of chances), `at_least_one_ratio` (chance of one departure or more, 0 to 1). Rows of métiers
        do not add up to that of the company. No row when nobody is given.

    Raises:
        DataError: With every defect of the tables, and every band that has heads and no rate.

    Source:
        Method page, P3. X = Σ_b B(n_b, π'_b), π' = πe^(τz)/(1 - π + πe^(τz)), z = -√3, 0, √3 with
        weights 1/6, 2/3, 1/6; π = min(1, horizon × rate). By Fourier inversion, exact.

    Examples:
        Thirteen persons between 50 and 64, in one métier:

        >>> bands = ["50-54 ans", "55-59 ans", "60-64 ans"]
        >>> rates = pd.DataFrame({"metier_code": "E1Z41", "age_band": bands,
        ...     "departure_rate_pct": [1.4, 7.6, 17.6]})
        >>> heads = rates[["metier_code", "age_band"]].assign(employees_headcount=[4, 6, 3])
        >>> found = company(heads, rates, [5])
        >>> found[["metier_code", "lower", "departures_headcount", "upper"]].to_numpy().tolist()
        [['E1Z41', 3, 5, 8], ['ENS', 3, 5, 8]]
        >>> (1 - found["at_least_one_ratio"]).round(9).tolist()
        [0.000146967, 0.000146967]
    """
    counted = _counted(heads, rates)
    if counted.empty:
        return pd.DataFrame(columns=["metier_code", "horizon_years", *_law(np.zeros((1, 1, 2)))])
    wide = counted.pivot(index="metier_code", columns="age_band").fillna(0.0)
    names = ("employees_headcount", "departure_rate_pct")
    each, rate = (wide[name].to_numpy(float) for name in names)
    parts = []
    for years in horizons:
        share = np.minimum(1.0, years * rate / 100)
        every = each.sum(axis=0)
        pooled = (each * share).sum(axis=0) / np.maximum(1.0, every)
        cells = np.stack([np.vstack([each, every]), np.vstack([share, pooled])], axis=-1)
        codes = {"metier_code": [*wide.index, ALL_METIERS], "horizon_years": years}
        parts.append(pd.DataFrame(codes | _law(cells)))
    return pd.concat(parts).sort_index(kind="stable", ignore_index=True)


def _counted(heads: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """Return heads of every band of the métiers that have somebody, with their rates."""
    errors = input_errors("company_heads", heads, "heads")
    errors += input_errors("company_rates", rates, "rates")
    refuse(errors)
    key = ["metier_code", "age_band"]
    present = heads[heads["employees_headcount"] > 0]
    every = (
        present[["metier_code"]]
        .drop_duplicates()
        .merge(pd.Series(COUNTED_BANDS, name=key[1]), "cross")
    )
    table = every.merge(heads, "left", on=key).merge(rates, "left", on=key)
    table["employees_headcount"] = table["employees_headcount"].fillna(0.0)
    is_missing = table["departure_rate_pct"].isna() & (table["employees_headcount"] > 0)
    CoherenceError.refuse(
        Defect(
            f"heads, {row['metier_code']}, {row['age_band']}",
            "heads without a rate",
            "a `departure_rate_pct` for this band",
            "add it to the rates, or count these heads in a métier that has one",
        )
        for row in table[is_missing].to_dict("records")
    )
    return table


def _law(cells: Array) -> dict[str, Array]:
    """Return what the law of departures says of some rows, from (rows, bands, heads and share)."""
    heads, share = cells[..., 0], cells[..., 1]
    counted = heads.sum(axis=1).astype(int)
    size = counted.max() + 1
    turn = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    image = np.zeros((len(heads), len(turn)), complex)
    for node, weight in NODES:
        odds = np.exp(LOG_ODDS_SD * node)
        moved = (share * odds / (1 - share + share * odds))[..., None]
        image += weight * ((1 - moved + moved * turn) ** heads[..., None]).prod(axis=1)
    chance = np.fft.irfft(image, size, axis=1)
    below = chance.cumsum(axis=1)
    low, middle, high = ((below < level - ROUNDING).sum(axis=1) for level in (LOW, MIDDLE, HIGH))
    some = np.where(counted > 0, np.clip(1 - chance[:, 0], 0.0, 1.0), 0.0)
    return {
        "counted_headcount": counted,
        "departures_headcount": middle,
        "lower": low,
        "upper": high,
        "at_least_one_ratio": some,
    }
