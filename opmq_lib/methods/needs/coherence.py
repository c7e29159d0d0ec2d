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

COMMENT_PCT = 10.0
"""An adjustment above this share of the forecast goes to the CPNEFP for comment (convention)."""

MEDIAN = 0.5


def reconcile_national(national: pd.DataFrame, horizon_years: int) -> pd.DataFrame:
    """Return projections of national métiers that add up to those of their families.

    Args:
        national: `series_code, year, value`: métiers (five characters) and families (three), to
            one last year; métiers without family keep their own projection.
        horizon_years: Years projected.

    Returns:
        One row per métier (`metier_code`, `family_code`) and `year`: `base_headcount` (the sum
        of what was forecast métier by métier is the bottom-up check), `family_headcount`,
        `coherent_headcount`, `adjustment_pct` and `needs_comment` (above `COMMENT_PCT`).
    """
    future = forecast.forecast_series(national, horizon_years, [MEDIAN])
    wide = future.pivot(index="series_code", columns="year", values="value")
    metiers = [str(code) for code in wide.index if len(str(code)) > FAMILY_LENGTH]
    family = pd.Series([code[:FAMILY_LENGTH] for code in metiers], metiers)
    base, known = wide.loc[metiers], wide.reindex(family).set_axis(metiers)
    total, members = (base.groupby(family).transform(by) for by in ("sum", "count"))
    share = (base / total).where(total != 0, 1 / members)
    parts = {"base": base, "family": known, "coherent": (share * known).fillna(base)}
    tables = [
        part.rename_axis("metier_code")
        .melt(value_name=f"{name}_headcount", ignore_index=False)
        .set_index("year", append=True)
        for name, part in parts.items()
    ]
    found = pd.concat(tables, axis=1).reset_index()
    found["family_code"] = found["metier_code"].str[:FAMILY_LENGTH]
    ratio = found["coherent_headcount"] / found["base_headcount"].where(found["base_headcount"] > 0)
    found["adjustment_pct"] = 100 * (ratio - 1)
    found["needs_comment"] = found["adjustment_pct"].abs() > COMMENT_PCT
    return found.sort_values(["metier_code", "year"], ignore_index=True)


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
