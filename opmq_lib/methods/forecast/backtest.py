"""What would have happened had we forecast in the past: rolling origins.

At each cut-off year everything later is hidden from every series, those learnt from included.
"""

import warnings
from collections.abc import Sequence

import pandas as pd

from opmq_lib.methods.forecast.api import QUANTILE_LEVELS, forecast_series
from opmq_lib.methods.forecast.scores import PAIR_KEY
from opmq_lib.methods.forecast.second_opinions import second_opinion
from opmq_lib.methods.forecast.series import (
    FilledGapsWarning,
    question_defects,
    tidy_panel,
    with_median,
)
from opmq_lib.methods.forecast.settings import MIN_TRAINING_YEARS


def backtest(
    series: pd.DataFrame,
    horizon_years: int,
    quantile_levels: Sequence[float] = QUANTILE_LEVELS,
    models: Sequence[str] = ("panel", "naive", "drift"),
    *,
    cutoffs_count: int = 5,
) -> pd.DataFrame:
    """Forecast a panel from each of its series' last cut-off years, and set what happened beside.

    Cut-offs have the whole horizon after them where a series' length allows: the last is
    `horizon_years` before its end. A cut-off leaves six years or more to learn from. Years missing
    inside a series are filled from what is known at the cut-off; they are neither cut-offs nor
    outcomes.

    Args:
        series: As for `forecast_series`.
        horizon_years: Years forecast from each cut-off.
        quantile_levels: Probabilities; 0.5 is added.
        models: `panel`, the engine, and any of `second_opinions.METHODS`.
        cutoffs_count: Cut-offs of each series, one year apart.

    Returns:
        One row per `model`, `series_code`, `cutoff_year`, `step` and `quantile_level`: the
        forecast `value`, the `actual`, and from the training years `last_value` and `scale` (mean
        absolute move).

    Raises:
        DataError: As `forecast_series`.

    Source:
        Method page, V1–V3.

    Examples:
        >>> jobs = pd.DataFrame({"series_code": "a", "year": range(2000, 2018),
        ...                      "value": [100.0 + 2 * n + n % 3 for n in range(18)]})
        >>> pairs = backtest(jobs, horizon_years=2)
        >>> sorted(pairs["cutoff_year"].unique().tolist())
        [2011, 2012, 2013, 2014, 2015]
    """
    rows = tidy_panel(series, question_defects(horizon_years, quantile_levels)).rows()
    told = rows.merge(series[series.columns.intersection(["series_code", "year", "kind_code"])])
    observed = told[rows.columns]
    levels = with_median(quantile_levels).tolist()
    origins = _origins(rows)
    latest = (origins["length"] - MIN_TRAINING_YEARS).clip(upper=horizon_years + cutoffs_count - 1)
    earliest = (latest - cutoffs_count + 1).clip(lower=1)
    origins = origins[origins["hidden"].between(earliest, latest)]
    origins = origins.merge(observed.rename(columns={"year": "cutoff_year"}).drop(columns="value"))
    parts = [rows.iloc[:0].assign(model="", cutoff_year=0, quantile_level=0.5)]
    for cutoff, at in origins.groupby("cutoff_year"):
        known = told[told["year"] <= cutoff]
        scored = known[known["series_code"].isin(at["series_code"])]
        with warnings.catch_warnings(action="ignore", category=FilledGapsWarning):
            for model in models:
                if model == "panel":
                    future = forecast_series(known, horizon_years, levels)
                else:
                    future = second_opinion(scored, horizon_years, levels, model)
                parts.append(future.assign(model=model, cutoff_year=cutoff))
    pairs = pd.concat(parts).merge(observed.rename(columns={"value": "actual"})).merge(origins)
    pairs["step"] = pairs["year"] - pairs["cutoff_year"]
    key = [*PAIR_KEY, "quantile_level"]
    columns = [*key, "value", "actual", "last_value", "scale"]
    return pairs[columns].sort_values(key, ignore_index=True)


def _origins(rows: pd.DataFrame) -> pd.DataFrame:
    """Return every year as a cut-off: how much it hides, and the scale of what it leaves."""
    by = rows.groupby("series_code")["value"]
    moves_count, length = by.cumcount(), by.transform("size")
    scale = by.diff().abs().groupby(rows["series_code"]).cumsum() / moves_count
    named = rows.rename(columns={"year": "cutoff_year", "value": "last_value"})
    return named.assign(scale=scale, length=length, hidden=length - moves_count - 1)
