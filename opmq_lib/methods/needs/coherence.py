"""Results that add up: métiers to their family's projection.

A branch that is estimated holds a fixed share of each métier: métiers add up to the branch and
branches to the métier by construction. Families (1983 on) and métiers (2004 on) are forecast
apart; métiers are then moved, in proportion, to the forecast of their family. On the four origins
tried families were then the most exact; for métiers it did better than adding them up on each,
and than MinT on one of the two where that was tried (`docs/decisions/needs.md`).

Source: method page, R1.
"""

import numpy as np
import pandas as pd

from opmq_lib.methods import forecast
from opmq_lib.methods.needs.rates import FAMILY_LENGTH

NOTHING_MOVED = pd.DataFrame({"metier_code": [""], "year": 0, "adjustment_pct": 0.0}).iloc[:0]


def reconcile_national(national: pd.DataFrame, horizon_years: int) -> pd.DataFrame:
    """Return projections of national métiers that add up to those of their families.

    Args:
        national: `series_code, year, value`: métiers (five characters) and families (three), to
            one last year; métiers without family keep their own projection.
        horizon_years: Years projected.

    Returns:
        One row per `metier_code` and `year`: `base_headcount` (the métier forecast alone),
        `family_headcount`, `coherent_headcount` (base × family / sum of the family's bases) and
        `adjustment_pct` (coherent in % of base, less 100; missing where base is 0).
    """
    future = forecast.forecast_series(national, horizon_years, [0.5])
    wide = future.pivot(index="series_code", columns="year", values="value")
    wide = wide.rename_axis(index="metier_code")
    base = wide[wide.index.str.len() > FAMILY_LENGTH]
    family = base.index.str[:FAMILY_LENGTH]
    of_family = wide.reindex(family).set_axis(base.index)
    total, count = (base.groupby(family).transform(by) for by in ("sum", "count"))
    coherent = ((base / total).where(total != 0, 1 / count) * of_family).fillna(base)
    parts = {
        "base_headcount": base,
        "family_headcount": of_family,
        "coherent_headcount": coherent,
        "adjustment_pct": 100 * (coherent / base.where(base > 0) - 1),
    }
    return pd.DataFrame({name: part.T.unstack() for name, part in parts.items()}).reset_index()


def adjust(projections: pd.DataFrame, adjustments: pd.DataFrame) -> pd.DataFrame:
    """Return projections of the estimate moved as the national ones of their métiers were.

    Args:
        projections: Rows of the `projection` contract.
        adjustments: What `reconcile_national` returned.

    Returns:
        The same rows, every quantile times 1 + `adjustment_pct` / 100 of its métier and year;
        own projections, and métiers without adjustment, as they were.

    Examples:
        >>> key = {"metier_code": ["E2Z80", "E2Z80"], "year": 2023}
        >>> rows = pd.DataFrame(key | {"origin": ["public", "own"], "value": 50.0})
        >>> moved = pd.DataFrame(key | {"adjustment_pct": 10.0}).head(1)
        >>> adjust(rows, moved)["value"].round(6).tolist()
        [55.0, 50.0]
    """
    pct = adjustments.set_index(["metier_code", "year"])["adjustment_pct"]
    at = pd.MultiIndex.from_frame(projections[["metier_code", "year"]])
    factor = 1 + pct.reindex(at).fillna(0.0).to_numpy() / 100
    factor = np.where(projections["origin"] == "own", 1.0, factor)
    return projections.assign(value=projections["value"] * factor)
