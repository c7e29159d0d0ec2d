"""What would have happened had we forecast in the past: rolling origins, and second opinions.

At each cut-off year everything later is hidden from every series, those learnt from included.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm

from opmq_lib.forecast.api import QUANTILE_LEVELS, engine_levels, forecast_series, long_table
from opmq_lib.forecast.grid import Array
from opmq_lib.forecast.series import FilledGapsWarning, question_defects, tidy_panel
from opmq_lib.forecast.settings import MIN_TRAINING_YEARS
from opmq_lib.scores import PAIR_KEY


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
        models: `panel`, the engine, and any of `SECOND_OPINIONS`.
        cutoffs_count: Cut-offs of each series, one year apart.

    Returns:
        One row per `model`, `series_code`, `cutoff_year`, `step` and `quantile_level`: the
        forecast `value`, the `actual`, and from the training years `last_value`, `scale` (mean
        absolute move) and `square_scale`.

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
    observed = rows.merge(series[["series_code", "year"]])
    levels = engine_levels(quantile_levels)
    origins = _origins(rows)
    latest = (origins["length"] - MIN_TRAINING_YEARS).clip(upper=horizon_years + cutoffs_count - 1)
    earliest = (latest - cutoffs_count + 1).clip(lower=1)
    origins = origins[origins["hidden"].between(earliest, latest)]
    origins = origins.merge(observed.rename(columns={"year": "cutoff_year"}).drop(columns="value"))
    parts = [rows.iloc[:0].assign(model="", cutoff_year=0, quantile_level=0.5)]
    for cutoff, at in origins.groupby("cutoff_year"):
        known = observed[observed["year"] <= cutoff]
        for model in models:
            future = _forecasts(model, known, at["series_code"], horizon_years, levels.tolist())
            parts.append(future.assign(model=model, cutoff_year=cutoff))
    pairs = pd.concat(parts).merge(observed.rename(columns={"value": "actual"})).merge(origins)
    pairs["step"] = pairs["year"] - pairs["cutoff_year"]
    key = [*PAIR_KEY, "quantile_level"]
    columns = [*key, "value", "actual", "last_value", "scale", "square_scale"]
    return pairs[columns].sort_values(key, ignore_index=True)


def _forecasts(
    model: str, known: pd.DataFrame, scored: pd.Series, steps: int, levels: Sequence[float]
) -> pd.DataFrame:
    """Return a model's forecasts from what is known; gaps, told once, are filled by it alone."""
    with warnings.catch_warnings(action="ignore", category=FilledGapsWarning):
        if model == "panel":
            return forecast_series(known, steps, levels)
        return second_opinion(known[known["series_code"].isin(scored)], steps, levels, model)


def second_opinion(
    series: pd.DataFrame, horizon_years: int, quantile_levels: Sequence[float], model: str
) -> pd.DataFrame:
    """Forecast each series from its own values alone, by one of `SECOND_OPINIONS`.

    Args:
        series: As for `forecast_series`, two years or more of each.
        horizon_years: As for `forecast_series`.
        quantile_levels: As for `forecast_series`.
        model: A key of `SECOND_OPINIONS`.

    Returns:
        As `forecast_series`.

    Examples:
        >>> jobs = pd.DataFrame({"series_code": "a", "year": [2000, 2001], "value": [5.0, 7.0]})
        >>> second_opinion(jobs, 2, [0.5], "drift")["value"].tolist()
        [9.0, 11.0]
    """
    found = tidy_panel(series, question_defects(horizon_years, quantile_levels))
    levels, method = np.unique(quantile_levels), SECOND_OPINIONS[model]
    histories = np.split(found.panel.flat, found.panel.starts[1:])
    values = np.stack([method(history, horizon_years, levels) for history in histories])
    return long_table(found.codes, found.last_year, levels, values)


def _origins(rows: pd.DataFrame) -> pd.DataFrame:
    """Return every year as a cut-off: how much it hides, and the scales of what it leaves."""
    by = rows.groupby("series_code")["value"]
    move, moves_count, length = by.diff(), by.cumcount(), by.transform("size")
    moves = pd.DataFrame({"scale": move.abs(), "square_scale": move**2})
    scales = moves.groupby(rows["series_code"]).cumsum().div(moves_count, axis=0)
    named = rows.rename(columns={"year": "cutoff_year", "value": "last_value"})
    return named.join(scales).assign(length=length, hidden=length - moves_count - 1)


def naive(history: Array, steps: int, levels: Array) -> Array:
    """Forecast the last value, with a Gaussian random walk's quantiles, (steps, levels).

    Examples:
        >>> naive(np.array([1.0, 2.0, 4.0]), 2, np.array([0.5])).ravel().tolist()
        [4.0, 4.0]
    """
    moves, ahead = np.diff(history), np.arange(1, steps + 1)
    return _gaussian(np.full(steps, history[-1]), np.mean(np.square(moves)) * ahead, levels)


def drift(history: Array, steps: int, levels: Array) -> Array:
    """Forecast the last value plus the mean move, with its Gaussian quantiles, (steps, levels).

    Examples:
        >>> drift(np.array([1.0, 2.0, 5.0]), 2, np.array([0.5])).ravel().tolist()
        [7.0, 9.0]
    """
    moves, ahead = np.diff(history), np.arange(1, steps + 1)
    variance = moves.var(ddof=min(1, len(moves) - 1)) * ahead * (1 + ahead / len(moves))
    return _gaussian(history[-1] + moves.mean() * ahead, variance, levels)


def ets(history: Array, steps: int, levels: Array) -> Array:
    """Forecast with statsmodels' ETS(A, Ad, N), the naive forecast where it fails, (steps, levels).

    Source:
        Hyndman, Koehler, Ord and Snyder (2008).
    """
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    model = ETSModel(pd.Series(history), error="add", trend="add", damped_trend=True)
    try:
        with warnings.catch_warnings(action="ignore"):
            found = model.fit(disp=False).get_prediction(len(history), len(history) + steps - 1)
            return _gaussian(found.predicted_mean, found.forecast_variance, levels)
    except (ValueError, np.linalg.LinAlgError):
        return naive(history, steps, levels)


def _gaussian(mean: Array, variance: Array, levels: Array) -> Array:
    deviation = np.sqrt(np.asarray(variance))[:, None]
    return np.asarray(np.asarray(mean)[:, None] + deviation * norm.ppf(levels))


SECOND_OPINIONS = {method.__name__: method for method in (naive, drift, ets)}
"""Forecasts of one series from its own values: the last value, the last value with the mean move,
and statsmodels' damped trend (slow: some hundred series a second)."""
