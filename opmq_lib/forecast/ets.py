"""Damped-trend exponential smoothing with intervals learnt from the panel's own past errors."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pandas as pd
from statsmodels.tools.sm_exceptions import ConvergenceWarning
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from opmq_lib.contracts import PROJECTION_COLUMNS
from opmq_lib.errors import DataError, Defect, RangeError, SchemaError

Floats = npt.NDArray[np.float64]

QUANTILE_LEVELS = (0.025, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.975)
MINIMUM_POINTS = 10
ORIGINS_BACK = (1, 3, 5)
SERIES_KEY = ["branch_code", "metier_code"]


@dataclass(frozen=True)
class Spread:
    """How far forecasts of a panel have missed, per step ahead.

    Attributes:
        intercept: Standardised error at step 0, 80 % quantile, on the straight line over steps.
        slope: What each further step adds.
        errors: Sorted standardised absolute errors, each divided by the line at its step.
        scale: Typical yearly log change of the panel, for series that never moved.
    """

    intercept: float
    slope: float
    errors: Floats
    scale: float

    def line(self, steps: Floats) -> Floats:
        """Return the width of the 80 % interval at each step, in units of a series' scale."""
        return self.intercept + self.slope * steps


def forecast_employment(
    employment: pd.DataFrame,
    horizon_years: int,
    quantile_levels: Sequence[float] = QUANTILE_LEVELS,
    scenario_code: str = "reference",
) -> pd.DataFrame:
    """Return quantiles of future employment for every series of a table.

    The point forecast (level 0.5) of each series comes from an additive-error ETS model with damped
    trend on the log scale. The other levels come from the errors that the same method made on
    all series of the table when it stood 1, 3 and 5 years earlier: quantiles are positive and
    never cross. A series too short (fewer than 10 years), interrupted, or holding a zero is not
    forecast, and a level for which the panel has too few past errors is not given: status `nd`.

    Args:
        employment: One row per `branch_code`, `metier_code`, `year` with `employment_headcount`
            (heads) and `origin`; other columns are ignored; any row order.
        horizon_years: Years to forecast after the last year of each series, at least 1.
        quantile_levels: Probabilities strictly between 0 and 1.
        scenario_code: Copied to the result.

    Returns:
        The long projection table (`contracts.PROJECTION_COLUMNS`), sorted by branch, métier,
        year and level; `value` in heads, not rounded; no row for an empty table.

    Raises:
        RangeError: If the horizon is below 1, a level is outside (0, 1), or a head count is
            negative or not finite.
        SchemaError: If a series has a year twice.

    Source:
        Point: Hyndman, Koehler, Ord and Snyder (2008), ETS(A,Ad,N), by statsmodels. Intervals:
        split conformal, method page V3; a straight line over steps beyond those observed.

    Examples:
        >>> jobs = pd.concat(
        ...     pd.DataFrame({
        ...         "branch_code": "chimie", "metier_code": f"E0Z2{n}", "year": range(2004, 2019),
        ...         "employment_headcount": [1000.0 + 9 * (n * year % 7) for year in range(15)],
        ...         "origin": "public"})
        ...     for n in (1, 2, 3))
        >>> future = forecast_employment(jobs, horizon_years=2, quantile_levels=[0.1, 0.5, 0.9])
        >>> future["year"].unique().tolist(), future["status"].unique().tolist()
        ([2019, 2020], ['value'])
    """
    _check(employment, horizon_years, quantile_levels)
    levels = np.sort(np.asarray(quantile_levels, dtype=float))
    ordered = employment.sort_values([*SERIES_KEY, "year"])
    series = dict(iter(ordered.groupby(SERIES_KEY, sort=False)))
    spread = learn_spread(_log_values(group) for group in series.values() if _is_regular(group))
    parts = [
        _forecast_one(group, horizon_years, levels, spread).assign(
            branch_code=str(branch_code), metier_code=str(metier_code)
        )
        for (branch_code, metier_code), group in series.items()
    ]
    if not parts:
        return pd.DataFrame(columns=list(PROJECTION_COLUMNS))
    result = pd.concat(parts, ignore_index=True).assign(
        region_code="FM",
        scenario_code=scenario_code,
        quantity="employment_headcount",
        unit="headcount",
        nature="projection",
    )
    return result[list(PROJECTION_COLUMNS)]


def damped_trend(log_values: Floats, horizon_years: int) -> Floats:
    """Return the point forecast of one series, on the scale it is given in.

    Args:
        log_values: Annual values, oldest first, shape (n,).
        horizon_years: Number of years h.

    Returns:
        Shape (h,).
    """
    model = ETSModel(pd.Series(log_values), error="add", trend="add", damped_trend=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(model.fit(disp=False).forecast(horizon_years), dtype=float)


def learn_spread(panel: Iterable[Floats]) -> Spread | None:
    """Return how far forecasts made 1, 3 and 5 years ago missed, over all series.

    Errors are divided by each series' root mean square yearly log change before the origin.
    Series that never moved, or too short for an origin, teach nothing.

    Args:
        panel: Log values of each series, oldest first.

    Returns:
        The spread, or `None` when fewer than two steps have an error.
    """
    steps: list[int] = []
    errors: list[float] = []
    scales: list[float] = []
    for values in panel:
        for back in ORIGINS_BACK:
            past, future = values[:-back], values[-back:]
            if len(past) < MINIMUM_POINTS or (scale := _scale(past)) == 0:
                continue
            missed = np.abs(future - damped_trend(past, back)) / scale
            steps += range(1, back + 1)
            errors += missed.tolist()
            scales.append(scale)
    if len(set(steps)) < 2:
        return None
    by_step = pd.Series(errors).groupby(steps).quantile(0.8)
    slope, intercept = np.polyfit(by_step.index.to_numpy(float), by_step.to_numpy(), 1)
    slope = max(float(slope), 0.0)
    line = Spread(max(float(intercept), 0.1 * float(by_step.max())), slope, np.empty(0), 0.0)
    standard = np.sort(np.asarray(errors) / line.line(np.asarray(steps, dtype=float)))
    return Spread(line.intercept, line.slope, standard, float(np.median(scales)))


def conformal_quantile(sorted_errors: Floats, level: float) -> float:
    """Return the k-th smallest absolute error, k = ⌈(n + 1)(1 − α)⌉, or NaN when k > n.

    Args:
        sorted_errors: Absolute errors, increasing, shape (n,).
        level: Coverage 1 − α, between 0 and 1.

    Source:
        Method page, V3; exact rational arithmetic.

    Examples:
        >>> errors = np.array([1.0, 2, 2, 3, 4, 5, 5, 6, 9])
        >>> [float(conformal_quantile(errors, level)) for level in (0.8, 0.9, 0.95)]
        [6.0, 9.0, nan]
    """
    exact = (len(sorted_errors) + 1) * Fraction(str(round(level, 9)))
    rank = -(-exact.numerator // exact.denominator)
    return float(sorted_errors[rank - 1]) if 0 < rank <= len(sorted_errors) else float("nan")


def _quantiles(log_values: Floats, horizon: int, levels: Floats, spread: Spread | None) -> Floats:
    """Return quantiles relative to the last year, shape (horizon, levels)."""
    point = damped_trend(log_values, horizon)[:, None]
    coverages = np.abs(2 * levels - 1)
    if spread is None:
        return np.where(coverages == 0, np.exp(point), np.nan)
    half = np.array([0.0 if c == 0 else conformal_quantile(spread.errors, c) for c in coverages])
    width = spread.line(np.arange(1.0, horizon + 1))[:, None] * (_scale(log_values) or spread.scale)
    return np.asarray(np.exp(point + np.sign(levels - 0.5) * half * width))


def _forecast_one(
    series: pd.DataFrame, horizon: int, levels: Floats, spread: Spread | None
) -> pd.DataFrame:
    last_year = int(series["year"].iloc[-1])
    regular = _is_regular(series)
    quantiles = (
        _last_value(series) * _quantiles(_log_values(series), horizon, levels, spread)
        if regular
        else np.full((horizon, len(levels)), np.nan)
    ).ravel()
    return pd.DataFrame(
        {
            "model": "ets_damped_log" if regular else "none",
            "cutoff_year": last_year,
            "year": np.repeat(last_year + np.arange(1, horizon + 1), len(levels)),
            "quantile_level": np.tile(levels, horizon),
            "value": quantiles,
            "status": np.where(np.isnan(quantiles), "nd", "value"),
            "origin": "own" if (series["origin"] == "own").any() else "public",
        }
    )


def _log_values(series: pd.DataFrame) -> Floats:
    """Return logs relative to the last year: a series forecast in another unit is the same one.

    Ten decimals are kept, so that the last bit of an estimate does not steer the optimiser.
    """
    values = series["employment_headcount"].to_numpy(dtype=float)
    return np.asarray(np.round(np.log(values / values[-1]), 10))


def _last_value(series: pd.DataFrame) -> float:
    return float(series["employment_headcount"].iloc[-1])


def _scale(log_values: Floats) -> float:
    return float(np.sqrt(np.mean(np.diff(log_values) ** 2)))


def _is_regular(series: pd.DataFrame) -> bool:
    years, values = series["year"].to_numpy(), series["employment_headcount"].to_numpy()
    return bool(
        len(values) >= MINIMUM_POINTS and (np.diff(years) == 1).all() and (values > 0).all()
    )


def _check(employment: pd.DataFrame, horizon_years: int, levels: Sequence[float]) -> None:
    outside = [
        Defect("quantile_levels", "not a probability", "0 < level < 1", "correct it", str(level))
        for level in levels
        if not 0 < level < 1
    ]
    if horizon_years < 1:
        outside.append(
            Defect(
                "horizon_years", "too short", "a whole number ≥ 1", "correct it", str(horizon_years)
            )
        )
    values = employment["employment_headcount"]
    outside += _row_defects(
        employment[~(np.isfinite(values) & (values >= 0))],
        "not a head count",
        "a finite number ≥ 0",
        "correct or remove the row",
    )
    repeated = _row_defects(
        employment[employment.duplicated([*SERIES_KEY, "year"])],
        "given twice",
        "one row per branch, métier and year",
        "keep one of the rows",
    )
    if outside and repeated:
        raise DataError([*outside, *repeated])
    if outside:
        raise RangeError(outside)
    if repeated:
        raise SchemaError(repeated)


def _row_defects(rows: pd.DataFrame, what: str, expected: str, fix: str) -> list[Defect]:
    return [
        Defect(
            f"employment, branch {branch_code}, métier {metier_code}, year {year}",
            what,
            expected,
            fix,
        )
        for branch_code, metier_code, year in rows[[*SERIES_KEY, "year"]].to_numpy()
    ]
