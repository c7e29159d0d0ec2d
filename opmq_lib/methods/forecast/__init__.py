"""Forecasts of many short annual series at once.

To read in this order: `series` tables and arrays, `grid` the models' recursions, `operators` their
matrices, `blocks` weights, median and variance, `learning` what a panel teaches, `quantiles` its
errors, `engine` the whole on arrays, `api` on tables, `projection` a branch's. Then how it did:
`second_opinions` other forecasts, `backtest` both in the past, `scores` their errors, `evaluation`
these as indicators, `explanations` which models make a forecast.
"""

from opmq_lib.methods.forecast.api import QUANTILE_LEVELS as QUANTILE_LEVELS
from opmq_lib.methods.forecast.api import forecast_employment as forecast_employment
from opmq_lib.methods.forecast.api import forecast_series as forecast_series
from opmq_lib.methods.forecast.api import learn_series as learn_series
