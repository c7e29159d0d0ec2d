"""From recursions to matrices: what depends on the length and the horizon only.

For a fixed point p of the grid and a fixed length T, residuals are e = K x - W s with unknown
initial states s = (level, trend). With s ~ N(0, σ² R⁻¹), R = 0 for the level (flat prior) and
R = r for the trend (ridge), integrating s out leaves, for x = (x_1 … x_T),

    Q = K'K - K'W (W'W + R)⁻¹ W'K        sum of squares  S = x' Q x
    ŝ = (W'W + R)⁻¹ W'K x                forecasts       f = F x, with ŝ in place of s
    log L = -(T - 2)/2 log S - 1/2 log |W'W + R| + 1/2 log r
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from opmq_lib.methods.forecast.grid import FAMILIES, Family, unfold
from opmq_lib.methods.forecast.series import Array

Single = NDArray[np.float32]
Function = TypeVar("Function", bound=Callable[..., Any])

one_thread: Callable[[Function], Function] = ThreadpoolController().wrap(limits=1, user_api="blas")
"""Decorate what multiplies matrices: its last bits do not depend on the machine's threads."""


@dataclass(frozen=True)
class Plan:
    """The grid's operators for one length and horizon, in single precision.

    The last year is 0 after the shift of `blocks.py`, so its coefficients are dropped.

    Attributes:
        length: Number of years T.
        quadratic: (P, T(T-1)/2): coefficients of S on the products x_i x_j, i ≤ j < T.
        forecast: (h P, T - 1): coefficients of the forecasts on x, step by step.
        half_logdet: (P, 1): 1/2 log |W'W + R| - 1/2 log r.
        variance: (h, P): variance of each step's error for a unit one-step variance.
    """

    length: int
    quadratic: Single
    forecast: Single
    half_logdet: Single
    variance: Single


def integrate_states(errors: Array, ridge: Array) -> tuple[Array, Array, Array, Array]:
    """Integrate the unknown initial states out of the one-step errors.

    Args:
        errors: (P, T, T + 2) coefficients of the errors on years and states.
        ridge: (P,) prior precision of the trend.

    Returns:
        Q (P, T, T), 1/2 log-determinant (P,), ŝ (P, 2, T), its covariance (P, 2, 2).
    """
    on_years, on_states = errors[:, :, :-2], -errors[:, :, -2:]
    transposed = np.swapaxes(on_states, 1, 2)
    precision = transposed @ on_states
    precision[:, 1, 1] += ridge
    covariance = np.asarray(np.linalg.inv(precision))
    states = covariance @ transposed @ on_years
    quadratic = np.swapaxes(on_years, 1, 2) @ (on_years - on_states @ states)
    half_logdet = np.asarray((np.linalg.slogdet(precision)[1] - np.log(ridge)) / 2)
    return quadratic, half_logdet, states, covariance


def operators(family: Family, length: int, steps: int) -> tuple[Array, Array, Array, Array]:
    """Return a family's operators in double precision.

    An error of the last year moves later forecasts by ψ, their coefficients on that year; the
    variance of step h is 1 + ψ_1² + … + ψ_(h-1)², plus what the initial states leave unknown.

    Args:
        family: The family.
        length: Number of years T, at least 3.
        steps: Horizon h.

    Returns:
        Q (P, T, T), 1/2 log-determinant (P,), F (P, h, T), variance (P, h).

    Examples:
        The random walk's sum of squares is the sum of squared differences, and it forecasts the
        last value:

        >>> from opmq_lib.methods.forecast.grid import Family, smoothing
        >>> walk = Family("walk", smoothing, np.array([[1.0, 0.0, 1.0, 1e9]]))
        >>> quadratic, _, forecast, variance = operators(walk, 4, 2)
        >>> x = np.array([1.0, 2.0, 4.0, 3.0])
        >>> round(float(x @ quadratic[0] @ x), 6), (forecast[0] @ x).round(6).tolist()
        (6.0, [3.0, 3.0])
        >>> variance[0].round(6).tolist()
        [1.0, 2.0]
    """
    errors, forecasts = unfold(family, length, steps)
    quadratic, half_logdet, states, covariance = integrate_states(errors, family.points[:, 3])
    on_years, on_states = forecasts[:, :, :-2], forecasts[:, :, -2:]
    unknown = np.einsum("phi,pij,phj->ph", on_states, covariance, on_states)
    moved = np.cumsum(np.square(on_years[:, :, -1]), axis=1)
    variance = 1 + unknown + np.insert(moved[:, :-1], 0, 0, axis=1)
    return quadratic, half_logdet, on_years + on_states @ states, variance


@lru_cache(maxsize=128)
def plan(length: int, steps: int) -> Plan:
    """Return the whole grid's plan for one length and horizon, built once.

    Args:
        length: Number of years T, at least 3.
        steps: Horizon h.

    Returns:
        The plan; its arrays are shared: do not write to them.
    """
    parts = [operators(family, length, steps) for family in FAMILIES]
    quadratic, half_logdet, forecast, variance = map(np.concatenate, zip(*parts, strict=True))
    row, column = np.triu_indices(length - 1)
    twice = np.where(row == column, 1.0, 2.0)
    by_step = forecast[:, :, :-1].swapaxes(0, 1).reshape(-1, length - 1)
    arrays = (quadratic[:, row, column] * twice, by_step, half_logdet[:, None], variance.T)
    return Plan(length, *(np.ascontiguousarray(array, dtype=np.float32) for array in arrays))
