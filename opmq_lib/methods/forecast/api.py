"""Forecasts of annual series, tidy table in, tidy table out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from opmq_lib.arguments import checked
from opmq_lib.errors import RangeError
from opmq_lib.methods.forecast.engine import Learnt, forecast_panel, learn_panel
from opmq_lib.methods.forecast.series import (
    TidyPanel,
    long_table,
    question_defects,
    tidy_panel,
    with_median,
)
from opmq_lib.tables import PROJECTION_COLUMNS

QUANTILE_LEVELS = (0.025, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.975)
_SERIES_KEY = ["branch_code", "metier_code"]
_CONSTANTS = {
    "region_code": "FM",
    "quantity": "employment_headcount",
    "unit": "headcount",
    "model": "panel",
    "nature": "projection",
    "status": "value",
}


@checked
def forecast_series(
    series: pd.DataFrame,
    horizon_years: int,
    quantile_levels: Sequence[float] = QUANTILE_LEVELS,
    *,
    learnt: Learnt | None = None,
) -> pd.DataFrame:
    """Forecast every annual series of a table.

    A grid of smoothing, theta and autoregressive models, none fitted by iteration, is averaged
    for each series; the panel's own past errors decide how much each model counts and how wide
    the intervals are. Series of unequal lengths and last years may be mixed; each is forecast
    from its own last year. A year missing inside a series is filled by a straight line, with a
    warning. Below three years, or without any move, the forecast is the last value with an
    interval as wide as the panel's typical moves make it. A series without negative values has
    no negative quantile.

    Args:
        series: One row per `series_code` and `year` with a `value`, any unit, any row order; where
            it helps a `kind_code` (jobs, rates, yields): series of a kind also teach each other how
            much each model counts. Intervals stay those of the panel.
        horizon_years: Years to forecast after each series' last year, 1 to 30.
        quantile_levels: Probabilities strictly between 0 and 1; 0.5 is the point forecast.
        learnt: What `learn_series` returned for a panel that contains these series, for the same
            horizon and levels; by default it is learnt from `series`.

    Returns:
        One row per `series_code`, `year` and `quantile_level` with a `value` in the unit of the
        series; sorted by these; never decreasing over levels. The same numbers whatever the order
        of the rows.

    Raises:
        SchemaError: If a column is missing or of the wrong type, or a year is given twice.
        RangeError: If a value, the horizon or a level is out of range.
        DataError: If both kinds occur. Every defect is listed.

    Source:
        Method page, "Prévision"; `docs/decisions/forecasting-engine.md`.

    Examples:
        >>> jobs = pd.DataFrame({"series_code": "J1C92", "year": range(2009, 2019),
        ...                      "value": [200.0, 204, 207, 212, 215, 219, 224, 226, 231, 235]})
        >>> future = forecast_series(jobs, horizon_years=2, quantile_levels=[0.1, 0.5, 0.9])
        >>> future["year"].unique().tolist()
        [2019, 2020]
        >>> low, point, high = future.query("year == 2019")["value"]
        >>> bool(low < point < high), 236 < round(point) < 242
        (True, True)
    """
    tidy = tidy_panel(series, question_defects(horizon_years, quantile_levels))
    return _forecast(tidy, horizon_years, quantile_levels, learnt)


def _forecast(
    tidy: TidyPanel, horizon_years: int, quantile_levels: Sequence[float], learnt: Learnt | None
) -> pd.DataFrame:
    levels = with_median(quantile_levels)
    if learnt and learnt[0].quantiles.shape != (horizon_years, len(levels)):
        fix = "learn for the same horizon and levels"
        raise RangeError.of("learnt", "lessons for another question", "this horizon", fix)
    kept = np.isin(levels, np.asarray(quantile_levels, dtype=float))
    quantiles = forecast_panel(tidy.panel, learnt or learn_panel(tidy.panel, horizon_years, levels))
    asked = quantiles if kept.all() else quantiles[:, :, kept]
    return long_table(tidy.codes, tidy.last_year, levels[kept], asked)


@checked
def learn_series(
    series: pd.DataFrame, horizon_years: int, quantile_levels: Sequence[float] = QUANTILE_LEVELS
) -> Learnt:
    """Learn from a table what its forecasts need, to forecast its parts alike.

    Args:
        series: As for `forecast_series`.
        horizon_years: As for `forecast_series`.
        quantile_levels: As for `forecast_series`.

    Returns:
        The lessons, for `forecast_series(…, learnt=…)`.

    Raises:
        DataError: As `forecast_series`.

    Examples:
        >>> jobs = pd.DataFrame({"series_code": "J1C92", "year": range(2009, 2019),
        ...                      "value": [200.0, 204, 207, 212, 215, 219, 224, 226, 231, 235]})
        >>> lessons = learn_series(jobs, horizon_years=2)
        >>> alike = forecast_series(jobs, 2, learnt=lessons)
        >>> alike.equals(forecast_series(jobs, 2))
        True
    """
    tidy = tidy_panel(series, question_defects(horizon_years, quantile_levels))
    return learn_panel(tidy.panel, horizon_years, with_median(quantile_levels))


def forecast_employment(
    employment: pd.DataFrame,
    horizon_years: int,
    quantile_levels: Sequence[float] = QUANTILE_LEVELS,
    scenario_code: str = "reference",
    *,
    learnt: Learnt | None = None,
) -> pd.DataFrame:
    """Return quantiles of future employment for every series of a table.

    Args:
        employment: One row per `branch_code`, `metier_code`, `year` with `employment_headcount`
            (heads) and `origin`; other columns are ignored; any row order.
        horizon_years: Years to forecast after the last year of each series, 1 to 30.
        quantile_levels: Probabilities strictly between 0 and 1.
        scenario_code: Copied to the result.
        learnt: As for `forecast_series`.

    Returns:
        The long projection table (`contracts.PROJECTION_COLUMNS`), sorted by branch, métier,
        year and level; `value` in heads, not rounded; no row for an empty table.

    Raises:
        DataError: As `forecast_series`; a negative head count is a defect.

    Source:
        As `forecast_series`.

    Examples:
        >>> jobs = pd.DataFrame({"branch_code": "chimie", "metier_code": "E0Z21",
        ...                      "year": range(2004, 2019), "origin": "public",
        ...                      "employment_headcount": [1000.0 + 9 * n for n in range(15)]})
        >>> future = forecast_employment(jobs, horizon_years=2, quantile_levels=[0.1, 0.5, 0.9])
        >>> future["year"].unique().tolist(), future["status"].unique().tolist()
        ([2019, 2020], ['value'])
    """
    keyed = employment.rename(columns={"employment_headcount": "value"})
    keyed["series_code"] = keyed["branch_code"].astype("str") + " " + keyed["metier_code"]
    asked = question_defects(horizon_years, quantile_levels)
    tidy = tidy_panel(keyed, asked, contract="headcount_series")
    future = _forecast(tidy, horizon_years, quantile_levels, learnt)
    known = keyed.groupby(["series_code", *_SERIES_KEY], as_index=False).agg(
        origin=("origin", "min"),  # own, if a row is
        cutoff_year=("year", "max"),
    )
    named = future.merge(known, on="series_code").assign(scenario_code=scenario_code, **_CONSTANTS)
    key = [*_SERIES_KEY, "year", "quantile_level"]
    return named[list(PROJECTION_COLUMNS)].sort_values(key, ignore_index=True)
