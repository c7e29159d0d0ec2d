"""The grid of models: five families, one row per parameter point.

Each family is a recursion that is linear in the observations once its parameters are fixed. It is
run here on rows of coefficients over (y_1 … y_T, level, trend), the last two being the unknown
initial states, and returns three arrays for its P points:

    errors     (P, T, T + 2)   one-step errors e_t
    forecasts  (P, h, T + 2)   forecasts of y_(T+1) … y_(T+h)
    psi        (P, h)          response at each step to a unit error in the last year
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Recursion = Callable[[Array, int, int], tuple[Array, Array, Array]]


def smoothing(points: Array, length: int, steps: int) -> tuple[Array, Array, Array]:
    """Exponential smoothing with a damped trend: l = l + φb + αe, b = φb + βe.

    Args:
        points: Rows (α, β, φ, trend ridge).
        length: Number of years T.
        steps: Horizon h.

    Returns:
        Errors, forecasts and psi, as the module says.
    """
    alpha, beta, phi = points.T[:3, :, None]
    unit = np.eye(length + 2)
    level, trend = (np.tile(unit[length + i], (len(points), 1)) for i in (0, 1))
    errors, forecasts = [], []
    for year in range(length):
        error = unit[year] - level - phi * trend
        level, trend = level + phi * trend + alpha * error, phi * trend + beta * error
        errors.append(error)
    for _ in range(steps):
        level, trend = level + phi * trend, phi * trend
        forecasts.append(level)
    damping = np.cumsum(phi ** np.arange(1, steps), axis=1)
    psi = np.hstack([np.ones_like(alpha), alpha + beta * damping])
    return np.stack(errors, 1), np.stack(forecasts, 1), psi


def theta_dynamic(points: Array, length: int, steps: int) -> tuple[Array, Array, Array]:
    """Dynamic optimised theta: smoothing plus 1 - 1/θ of a line refitted every year.

    Source: Fiorucci et al. (2016), International Journal of Forecasting 32(4). The first error
    is taken around the level alone, so that a shift of the series shifts its forecasts.

    Args:
        points: Rows (α, 1 - 1/θ, unused, unused).
        length: Number of years T.
        steps: Horizon h.

    Returns:
        Errors, forecasts and psi, as the module says.
    """
    errors, forecasts, psi = _theta(points, length, steps, None)
    errors[:, 0, 0] -= points[:, 1]
    return errors, forecasts, psi


def theta_static(points: Array, length: int, steps: int) -> tuple[Array, Array, Array]:
    """Optimised theta: smoothing plus 1 - 1/θ of one line fitted to the whole series.

    Source: Assimakopoulos and Nikolopoulos (2000), International Journal of Forecasting 16(4).

    Args:
        points: Rows (α, 1 - 1/θ, unused, unused).
        length: Number of years T.
        steps: Horizon h.

    Returns:
        Errors, forecasts and psi, as the module says.
    """
    design = np.stack([np.ones(length), np.arange(1, length + 1)], 1)
    line = np.asarray(np.linalg.pinv(design), dtype=float) @ np.eye(length, length + 2)
    return _theta(points, length, steps, line)


def _theta(
    points: Array, length: int, steps: int, line: Array | None
) -> tuple[Array, Array, Array]:
    """Run theta around a given line (intercept, slope), or around one refitted every year.

    An error moves a later forecast by α, and the line by about 6/T of its tilt.
    """
    alpha, tilt = points.T[:2, :, None]
    unit = np.eye(length + 2)
    level = np.tile(unit[length], (len(points), 1))
    intercept, slope = (np.zeros_like(level), np.zeros_like(level)) if line is None else line
    mean = np.zeros_like(level)
    errors, forecasts = [], []
    for year in range(1, length + steps + 1):
        fade = (1 - alpha) ** (year - 1)
        forecast = level + tilt * (fade * intercept + (1 - fade * (1 - alpha)) / alpha * slope)
        if year > length:
            forecasts.append(forecast)
            value = forecast
        else:
            value = unit[year - 1]
            errors.append(value - forecast)
        if line is None:
            slope = ((year - 2) * slope + 6 * (value - mean) / year) / (year + 1) * (year > 1)
            mean = ((year - 1) * mean + value) / year
            intercept = mean - slope * (year + 1) / 2
        level = alpha * value + (1 - alpha) * level
    later = points[:, :1] + points[:, 1:2] * 6 / max(length, 6)
    psi = np.hstack([np.ones_like(later), np.repeat(later, steps - 1, axis=1)])
    return np.stack(errors, 1), np.stack(forecasts, 1), psi


def differences(points: Array, length: int, steps: int) -> tuple[Array, Array, Array]:
    """First-order autoregression of the differences: d_t - g = rho (d_(t-1) - g) + e.

    Args:
        points: Rows (rho, unused, unused, ridge on the mean difference g).
        length: Number of years T.
        steps: Horizon h.

    Returns:
        Errors, forecasts and psi, as the module says.
    """
    rho = points[:, :1]
    unit = np.eye(length + 2)
    growth = np.tile(unit[length + 1], (len(points), 1))
    change = growth
    errors, forecasts = [np.tile(unit[0] - unit[length], (len(points), 1))], []
    for year in range(1, length):
        seen = unit[year] - unit[year - 1]
        errors.append(seen - growth - rho * (change - growth))
        change = seen
    level = unit[length - 1]
    for _ in range(steps):
        change = growth + rho * (change - growth)
        level = level + change
        forecasts.append(level)
    psi = np.cumsum(rho ** np.arange(steps), axis=1)
    return np.stack(errors, 1), np.stack(forecasts, 1), psi


@dataclass(frozen=True)
class Family:
    """A family of models.

    Attributes:
        name: Its name in reports.
        recursion: What it computes.
        points: One row of parameters per model, read by the recursion; the fourth is the
            precision of the prior on the trend (1 where there is no trend state).
    """

    name: str
    recursion: Recursion
    points: Array


def _points(*axes: tuple[float, ...]) -> Array:
    return np.array(list(product(*axes)), dtype=float)


_GAINS = (0.1, 0.4, 0.7, 1.0)


def _thetas(*thetas: float) -> Array:
    return _points(_GAINS, tuple(1 - 1 / theta for theta in thetas), (0.0,), (1.0,))


def _holt() -> Array:
    damped = _points((0.3, 0.65, 1.0), (0.05, 0.25, 0.6), (0.8, 0.93), (0.3,))
    linear = _points((0.6, 1.0), (0.1, 0.5), (1.0,), (0.3,))
    points = np.vstack([damped, linear])
    points[:, 1] *= points[:, 0]
    return points


FAMILIES = (
    Family("holt", smoothing, _holt()),
    Family("drift", smoothing, _points(_GAINS, (0.0,), (1.0,), (0.1, 2.0, 12.0, 1e4))),
    Family("theta_dynamic", theta_dynamic, _thetas(1.0, 1.6, 3.0, 30.0)),
    Family(
        "ar_differences",
        differences,
        _points((-0.4, 0.0, 0.4, 0.8), (0.0,), (0.0,), (0.3, 3.0, 30.0)),
    ),
    Family("theta_static", theta_static, _thetas(1.6, 3.0, 30.0)),
)
"""The five families. `drift` is smoothing with a fixed trend, from free (ridge 0.1) to none (1e4).
"""

SIZES = tuple(len(family.points) for family in FAMILIES)
STARTS = (0, *np.cumsum(SIZES)[:-1].tolist())
SLICES = tuple(slice(start, start + size) for start, size in zip(STARTS, SIZES, strict=True))
"""Where each family stands among the grid's points."""
