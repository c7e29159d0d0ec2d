"""The grid of models: five families, one row per parameter point.

Each family is a recursion that is linear in the observations once its parameters are fixed. It is
run on rows of coefficients over (y_1 … y_T, level, trend), the last two being the unknown initial
states: a generator yields each year's forecast, one row per point, and receives the year's value.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import count, product

import numpy as np

from opmq_lib.methods.forecast.series import Array

Recursion = Generator[Array, Array, None]


def unfold(family: "Family", length: int, steps: int) -> tuple[Array, Array]:
    """Run a family over T known years, then h years on its own forecasts.

    Args:
        family: The family, P points.
        length: Number of years T.
        steps: Horizon h.

    Returns:
        One-step errors (P, T, T + 2) and forecasts (P, h, T + 2), in coefficients.

    Examples:
        A random walk's errors are the differences, and it forecasts the last value:

        >>> walk = Family("walk", differences, np.array([[0.0, 0.0, 0.0, 1.0]]))
        >>> errors, forecasts = unfold(walk, 3, 1)
        >>> years_and_states = np.array([4.0, 6.0, 5.0, 4.0, 0.0])
        >>> (errors[0] @ years_and_states).tolist(), (forecasts[0] @ years_and_states).tolist()
        ([0.0, 2.0, -1.0], [5.0])
    """
    unit = np.eye(length + 2)
    run = family.recursion(family.points, unit)
    ahead = [next(run)]
    for year in range(1, length + steps):
        ahead.append(run.send(unit[year - 1] if year <= length else ahead[-1]))
    whole = np.stack(ahead, axis=1)
    return unit[:length] - whole[:, :length], whole[:, length:]


def smoothing(points: Array, unit: Array) -> Recursion:
    """Exponential smoothing with a damped trend: l = l + φb + αe, b = φb + βe.

    Args:
        points: Rows (α, β, φ, trend ridge).
        unit: Unit coefficients of the years, the level and the trend.
    """
    alpha, beta, phi = points.T[:3, :, None]
    level, trend = (np.tile(unit[state], (len(points), 1)) for state in (-2, -1))
    while True:
        ahead = level + phi * trend
        error = (yield ahead) - ahead
        level, trend = ahead + alpha * error, phi * trend + beta * error


def theta_dynamic(points: Array, unit: Array, line: Array | None = None) -> Recursion:
    """Dynamic optimised theta: smoothing plus 1 - 1/θ of a line refitted every year.

    The first line is flat at y_1, so that a shift of the series shifts its forecasts.

    Args:
        points: Rows (α, 1 - 1/θ, unused, unused).
        unit: As for `smoothing`.
        line: Intercept and slope of a line that is not refitted.

    Source:
        Fiorucci et al. (2016), International Journal of Forecasting 32(4).
    """
    alpha, tilt = points.T[:2, :, None]
    level, mean = np.tile(unit[-2], (len(points), 1)), np.zeros_like(unit[0])
    intercept, slope = (unit[0], mean) if line is None else line
    for year in count(1):
        fade = (1 - alpha) ** (year - 1)
        value = yield level + tilt * (fade * intercept + (1 - fade * (1 - alpha)) / alpha * slope)
        level = level + alpha * (value - level)
        if line is None:
            slope = ((year - 2) * slope + 6 * (value - mean) / year) / (year + 1) * (year > 1)
            mean = mean + (value - mean) / year
            intercept = mean - slope * (year + 1) / 2


def theta_static(points: Array, unit: Array) -> Recursion:
    """Optimised theta: smoothing plus 1 - 1/θ of one line fitted to the whole series.

    Args:
        points: Rows (α, 1 - 1/θ, unused, unused).
        unit: As for `smoothing`.

    Source:
        Assimakopoulos and Nikolopoulos (2000), International Journal of Forecasting 16(4).
    """
    length = len(unit) - 2
    design = np.stack([np.ones(length), np.arange(1, length + 1)], axis=1)
    return theta_dynamic(points, unit, np.asarray(np.linalg.pinv(design) @ unit[:length]))


def differences(points: Array, unit: Array) -> Recursion:
    """First-order autoregression of the differences: d_t - g = rho (d_(t-1) - g) + e.

    Args:
        points: Rows (rho, unused, unused, ridge on the mean difference g).
        unit: As for `smoothing`.
    """
    rho = points[:, :1]
    growth = change = np.tile(unit[-1], (len(points), 1))
    value = yield np.tile(unit[-2], (len(points), 1))
    while True:
        previous, value = value, (yield value + growth + rho * (change - growth))
        change = value - previous


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
    recursion: Callable[[Array, Array], Recursion]
    points: Array


def _points(*axes: tuple[float, ...]) -> Array:
    return np.array(list(product(*axes)), dtype=float)


def _holt() -> Array:
    damped = _points((0.3, 0.65, 1.0), (0.05, 0.25, 0.6), (0.8, 0.93), (0.3,))
    linear = _points((0.6, 1.0), (0.1, 0.5), (1.0,), (0.3,))
    points = np.vstack([damped, linear])
    points[:, 1] *= points[:, 0]
    return points


_GAINS = (0.1, 0.4, 0.7, 1.0)
_TILTS = (1 - 1 / 1.6, 1 - 1 / 3, 1 - 1 / 30)

FAMILIES = (
    Family("holt", smoothing, _holt()),
    Family("drift", smoothing, _points(_GAINS, (0,), (1,), (0.1, 2, 12, 1e4))),
    Family("theta_dynamic", theta_dynamic, _points(_GAINS, (0, *_TILTS), (0,), (1,))),
    Family("ar_differences", differences, _points((-0.4, 0, 0.4, 0.8), (0,), (0,), (0.3, 3, 30))),
    Family("theta_static", theta_static, _points(_GAINS, _TILTS, (0,), (1,))),
)
"""The five families. `drift` is smoothing with a fixed trend, from free (ridge 0.1) to none (1e4).
"""

SIZES = tuple(len(family.points) for family in FAMILIES)
STARTS = (0, *np.cumsum(SIZES)[:-1].tolist())
SLICES = tuple(slice(start, start + size) for start, size in zip(STARTS, SIZES, strict=True))
"""Where each family stands among the grid's points."""
