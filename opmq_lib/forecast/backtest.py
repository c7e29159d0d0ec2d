"""What would have happened had we forecast in the past: rolling origins, scores, second opinions.

At each cut-off year everything later is hidden from every series, those learnt from included.
"""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from opmq_lib import scores
from opmq_lib.forecast.api import QUANTILE_LEVELS, engine_levels
from opmq_lib.forecast.blocks import Index, Panel
from opmq_lib.forecast.engine import forecast_panel, learn_panel
from opmq_lib.forecast.grid import Array
from opmq_lib.forecast.series import TidyPanel, question_defects, tidy_panel
from opmq_lib.forecast.settings import MIN_TRAINING_YEARS

CUTOFFS_COUNT = 5
MODELS = ("panel", "naive", "drift", "ets")
Forecaster = Callable[[Panel, Index], dict[str, Array]]
"""From what was known at a cut-off and the positions of the series scored, to their quantiles."""


def backtest(
    series: pd.DataFrame,
    horizon_years: int,
    quantile_levels: Sequence[float] = QUANTILE_LEVELS,
    models: Sequence[str] = ("panel", "naive", "drift"),
) -> pd.DataFrame:
    """Forecast a panel from each of its series' last cut-off years, and set what happened beside.

    A series has five cut-offs, each with the whole horizon after it where its length allows: the
    last at `horizon_years` before its end. A cut-off leaves six years or more to learn from.

    Args:
        series: As for `forecast_series`.
        horizon_years: Years forecast from each cut-off.
        quantile_levels: Probabilities; 0.5 is added.
        models: Among `MODELS`: the engine, the last value, the last value with the mean move, and
            statsmodels' ETS(A, Ad, N) (slow: about 20 series a second).

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
    found = tidy_panel(series, question_defects(horizon_years, quantile_levels))
    levels = engine_levels(quantile_levels)
    latest = np.minimum(found.panel.lengths - MIN_TRAINING_YEARS, horizon_years + CUTOFFS_COUNT - 1)
    earliest = np.maximum(latest - CUTOFFS_COUNT + 1, 1)
    place = np.arange(len(found.codes))
    origins = np.concatenate(
        [np.empty((0, 2), dtype=int)]
        + [
            np.column_stack([place, found.last_year - back])[(earliest <= back) & (back <= latest)]
            for back in range(1, int(latest.max(initial=0)) + 1)
        ]
    )

    def forecast(panel: Panel, scored: Index) -> dict[str, Array]:
        return _forecasts(panel, scored, horizon_years, levels, models)

    parts = [
        _pairs(found, origins[origins[:, 1] == year, 0], int(year), levels, forecast)
        for year in np.unique(origins[:, 1])
    ]
    if not parts:
        return pd.DataFrame(
            columns=[
                *scores.PAIR_KEY,
                "quantile_level",
                "value",
                "actual",
                "last_value",
                "scale",
                "square_scale",
            ]
        )
    return pd.concat(parts).sort_values([*scores.PAIR_KEY, "quantile_level"], ignore_index=True)


def _forecasts(
    panel: Panel, scored: Index, steps: int, levels: Array, models: Sequence[str]
) -> dict[str, Array]:
    """Return each model's (scored, steps, levels) quantiles."""
    histories = np.split(panel.flat, panel.starts[1:])
    simple = {"naive": naive, "drift": drift, "ets": ets}

    def one(model: str) -> Array:
        if model in simple:
            return np.stack([simple[model](histories[n], steps, levels) for n in scored])
        return forecast_panel(panel, learn_panel(panel, steps, levels))[scored]

    return {model: one(model) for model in models}


def _pairs(
    found: TidyPanel, scored: Index, cutoff: int, levels: Array, forecast: Forecaster
) -> pd.DataFrame:
    """Return the forecasts made at one cut-off year, with what happened."""
    first = found.last_year - found.panel.lengths + 1
    known = np.clip(cutoff - first + 1, 0, found.panel.lengths)
    panel = found.panel.until(known)
    at = np.cumsum(known > 0)[scored] - 1
    forecasts = forecast(panel, at)
    shape = next(iter(forecasts.values())).shape
    ahead = np.arange(1, shape[1] + 1)
    happened = (found.last_year[scored] - cutoff)[:, None] >= ahead
    position = (found.panel.starts + known)[scored][:, None] + ahead - 1
    histories = np.split(panel.flat, panel.starts[1:])

    def wide(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values, shape)[happened].ravel()

    def per_series(function: Callable[[Array], float]) -> np.ndarray:
        return wide(np.array([function(histories[n]) for n in at])[:, None, None])

    shared = {
        "series_code": wide(found.codes.to_numpy(dtype=object)[scored][:, None, None]),
        "cutoff_year": cutoff,
        "step": wide(ahead[:, None]),
        "quantile_level": wide(levels),
        "actual": wide(found.panel.flat[np.where(happened, position, 0)][:, :, None]),
        "last_value": per_series(lambda one: float(one[-1])),
        "scale": per_series(scores.naive_scale),
        "square_scale": per_series(scores.naive_square_scale),
    }
    return pd.concat(
        pd.DataFrame({"model": model, **shared, "value": wide(values)})
        for model, values in forecasts.items()
    )


def naive(history: Array, steps: int, levels: Array) -> Array:
    """Forecast the last value, with a Gaussian random walk's quantiles, (steps, levels).

    Examples:
        >>> naive(np.array([1.0, 2.0, 4.0]), 2, np.array([0.5])).ravel().tolist()
        [4.0, 4.0]
    """
    deviation = np.sqrt(np.mean(np.square(np.diff(history))) * np.arange(1, steps + 1))
    return np.asarray(history[-1] + deviation[:, None] * norm.ppf(levels))


def drift(history: Array, steps: int, levels: Array) -> Array:
    """Forecast the last value plus the mean move, with its Gaussian quantiles, (steps, levels).

    Examples:
        >>> drift(np.array([1.0, 2.0, 5.0]), 2, np.array([0.5])).ravel().tolist()
        [7.0, 9.0]
    """
    moves, ahead = np.diff(history), np.arange(1, steps + 1)
    spread = moves.std(ddof=1) if len(moves) > 1 else 0.0
    deviation = spread * np.sqrt(ahead * (1 + ahead / len(moves)))
    return np.asarray(
        (history[-1] + moves.mean() * ahead)[:, None] + deviation[:, None] * norm.ppf(levels)
    )


def ets(history: Array, steps: int, levels: Array) -> Array:
    """Forecast with statsmodels' ETS(A, Ad, N), the naive forecast where it fails, (steps, levels).

    Source:
        Hyndman, Koehler, Ord and Snyder (2008).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = ETSModel(pd.Series(history), error="add", trend="add", damped_trend=True).fit(
                disp=False
            )
            found = fit.get_prediction(start=len(history), end=len(history) + steps - 1)
            mean, variance = np.asarray(found.predicted_mean), np.asarray(found.forecast_variance)
    except (ValueError, np.linalg.LinAlgError):
        return naive(history, steps, levels)
    return np.asarray(mean[:, None] + np.sqrt(variance)[:, None] * norm.ppf(levels))
