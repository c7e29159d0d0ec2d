"""Forecasts of annual employment series."""

from opmq_lib.forecast.ets import forecast_employment
from opmq_lib.forecast.horizon import intervals

__all__ = ["forecast_employment", "intervals"]
