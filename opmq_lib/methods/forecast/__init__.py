"""Forecasts of many short annual series at once.

Where each formula is: `grid` the models' recursions, `operators` their matrices, `blocks` weights,
median and variance, `learning` what a panel teaches, `quantiles` its errors, `engine` the whole on
arrays, `api` on tables; then `backtest`.
"""

from opmq_lib.methods.forecast.api import (
    QUANTILE_LEVELS,
    forecast_employment,
    forecast_series,
    learn_series,
)

__all__ = [
    "QUANTILE_LEVELS",
    "forecast_employment",
    "forecast_series",
    "learn_series",
]
