"""Forecasts of many short annual series at once.

Where each formula is: `grid` the models' recursions, `operators` their matrices, `blocks` weights,
median and variance, `learning` what a panel teaches, `quantiles` its errors, `engine` the whole on
arrays, `series` and `api` on tables; then `explain`, `backtest` and `reconcile`.
"""

from opmq_lib.forecast.api import (
    QUANTILE_LEVELS,
    forecast_employment,
    forecast_series,
    learn_series,
)
from opmq_lib.forecast.backtest import second_opinion
from opmq_lib.forecast.explain import explain_series
from opmq_lib.forecast.horizon import intervals
from opmq_lib.forecast.reconcile import reconcile_series

__all__ = [
    "QUANTILE_LEVELS",
    "explain_series",
    "forecast_employment",
    "forecast_series",
    "intervals",
    "learn_series",
    "reconcile_series",
    "second_opinion",
]
