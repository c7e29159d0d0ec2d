"""Which métiers of a branch its lists look at: those of the field, and those that are its own."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from opmq_lib.methods.employment.levels import HEADS, INTERVAL_SPAN, LOWER, UPPER, fit_ratios
from opmq_lib.methods.employment.rows import RESIDUAL_METIER
from opmq_lib.tables.fap import NOT_CODED
from opmq_lib.tables.indicators import ALL_METIERS

LEAST_QUOTIENT, LEAST_SHARE_PCT = 8.0, 0.5
"""A métier outside the field is looked at from this location quotient (lower end of its interval)
and this share of the branch up; conventions."""


def candidates(
    jobs: pd.DataFrame, national: pd.DataFrame, field_codes: Collection[str]
) -> pd.DataFrame:
    """Return the métiers that the lists of a branch look at, their share and location quotient.

    Args:
        jobs: Rows of the `employment` contract of one branch in one year, one per métier; without
            the rest of the branch its total is not known, and shares are missing. Jobs that are not
            coded count in the total alone.
        national: National employment of one year by `metier_code`, `ENS` for all métiers.
        field_codes: Métiers of the field.

    Returns:
        By `metier_code`: `employment_headcount`, `employment_share_pct` and `location_quotient`
        (share of the branch over share of the country) with `_lower` and `_upper` (80 %),
        `level_log_sd` (standard deviation of the log, 0 where it is observed), `branch_headcount`,
        `in_field`, `headcount_fit_ratio`, `year`, `nature`, `origin`, `units_count`,
        `largest_share_pct`, `source_code`.

    Source:
        Method page, C1.

    Examples:
        >>> jobs = pd.DataFrame({"metier_code": ["E1Z43", "U1Z81", "autres_metiers"],
        ...     HEADS: [184.0, 16, 800], LOWER: [92.0, 8, 400], UPPER: [368.0, 32, 1600]})
        >>> national = pd.DataFrame(
        ...     {"metier_code": ["E1Z43", "U1Z81", "ENS"], HEADS: [2.0, 1, 1000]})
        >>> found = candidates(jobs, national, {"E1Z43"}).round(6)
        >>> found[["employment_share_pct", "location_quotient_lower"]].to_numpy().tolist()
        [[18.4, 46.0], [1.6, 8.0]]
    """
    is_rest = jobs["metier_code"] == RESIDUAL_METIER
    total = jobs[HEADS].sum() if is_rest.any() else np.nan
    is_coded = ~jobs["metier_code"].str.startswith(NOT_CODED)
    rows = jobs[~is_rest & is_coded].sort_values("metier_code", ignore_index=True)
    heads = rows[HEADS].astype("float64")
    low, high = (
        rows[end].astype("float64").fillna(heads) if end in rows else heads
        for end in (LOWER, UPPER)
    )
    by_code = national.set_index("metier_code")[HEADS].astype("float64")
    country = 100 * (by_code / by_code[ALL_METIERS]).reindex(rows["metier_code"]).to_numpy()
    table = rows[["metier_code"]].assign(
        level_log_sd=np.log((high / low).where(low > 0, 1.0)) / INTERVAL_SPAN,
        branch_headcount=total,
        in_field=rows["metier_code"].isin(field_codes),
        headcount_fit_ratio=fit_ratios(rows),
    )
    for end, count in {"": heads, "_lower": low, "_upper": high}.items():
        table[f"{HEADS}{end}"] = count
        share = (100 * count / total).clip(upper=100)
        table[f"employment_share_pct{end}"] = share
        table[f"location_quotient{end}"] = share / country
    facts = ["year", "nature", "origin", "units_count", "largest_share_pct", "source_code"]
    table = table.join(rows.reindex(columns=facts))
    is_own = (table["location_quotient_lower"] >= LEAST_QUOTIENT) & (
        table["employment_share_pct"] >= LEAST_SHARE_PCT
    )
    return table[table["in_field"] | is_own].reset_index(drop=True)
