"""What a projection says at a few horizons, as indicator rows with their interval."""

from collections.abc import Sequence

import pandas as pd

LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9


def intervals(projections: pd.DataFrame, steps_years: Sequence[int]) -> pd.DataFrame:
    """Return the median and the 80 % interval some years after the last observed one.

    Args:
        projections: The long projection table; levels 0.1, 0.5 and 0.9 are read.
        steps_years: Years after the cut-off; those beyond the horizon give no row.

    Returns:
        `projected_employment_headcount`, one row per métier and step: `value`, `lower`, `upper` in
        heads, missing where the projection is.

    Examples:
        >>> rows = {"metier_code": "E2Z80", "cutoff_year": 2018, "year": 2023, "origin": "public",
        ...     "quantile_level": [0.1, 0.5, 0.9], "value": [90.0, 100.0, 115.0]}
        >>> intervals(pd.DataFrame(rows), [5])[["value", "lower", "upper"]].values.tolist()
        [[100.0, 90.0, 115.0]]
    """
    chosen = projections[
        (projections["year"] - projections["cutoff_year"]).isin(steps_years)
        & projections["quantile_level"].isin([LOW, MIDDLE, HIGH])
    ]
    wide = chosen.pivot(
        index=["metier_code", "year", "origin"], columns="quantile_level", values="value"
    ).reset_index()
    return wide[["metier_code", "year", "origin"]].assign(
        indicator="projected_employment_headcount",
        value=wide[MIDDLE],
        lower=wide[LOW],
        upper=wide[HIGH],
        interval_level=round(HIGH - LOW, 9),
        unit="headcount",
        nature="projection",
    )
