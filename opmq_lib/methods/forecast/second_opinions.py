"""Forecasts of one series from its own values alone, to set beside those of the engine."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from opmq_lib.methods.forecast.series import Array, long_table, question_defects, tidy_panel


def second_opinion(
    series: pd.DataFrame, horizon_years: int, quantile_levels: Sequence[float], model: str
) -> pd.DataFrame:
    """Forecast each series from its own values alone, by one of `METHODS`.

    Args:
        series: As for `forecast_series`, two years or more of each.
        horizon_years: As for `forecast_series`.
        quantile_levels: As for `forecast_series`.
        model: A key of `METHODS`.

    Returns:
        As `forecast_series`.

    Examples:
        >>> jobs = pd.DataFrame({"series_code": "a", "year": [2000, 2001], "value": [5.0, 7.0]})
        >>> second_opinion(jobs, 2, [0.5], "drift")["value"].tolist()
        [9.0, 11.0]
    """
    tidy = tidy_panel(series, question_defects(horizon_years, quantile_levels))
    levels, method = np.unique(quantile_levels), METHODS[model]
    histories = np.split(tidy.panel.flat, tidy.panel.starts[1:])
    values = np.stack([method(history, horizon_years, levels) for history in histories])
    return long_table(tidy.codes, tidy.last_year, levels, values)


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
            ahead = model.fit(disp=False).get_prediction(len(history), len(history) + steps - 1)
            return _gaussian(ahead.predicted_mean, ahead.forecast_variance, levels)
    except (ValueError, np.linalg.LinAlgError):
        return naive(history, steps, levels)


def _gaussian(mean: Array, variance: Array, levels: Array) -> Array:
    deviation = np.sqrt(np.asarray(variance))[:, None]
    return np.asarray(np.asarray(mean)[:, None] + deviation * ndtri(levels))


METHODS = {method.__name__: method for method in (naive, drift, ets)}
"""Forecasts of one series from its own values: the last value, the last value with the mean move,
and statsmodels' damped trend (slow: some hundred series a second)."""
