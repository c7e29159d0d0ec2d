"""Forecasts of annual employment series."""

from opmq_lib.forecast.ets import forecast_employment

__all__ = ["forecast_employment"]
