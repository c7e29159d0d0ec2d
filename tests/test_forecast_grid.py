import numpy as np
import pytest

from opmq_lib.methods.forecast.grid import (
    FAMILIES,
    SIZES,
    SLICES,
    Family,
    differences,
    smoothing,
    unfold,
)
from opmq_lib.methods.forecast.settings import DEFAULT

BY_NAME = {family.name: family for family in FAMILIES}


def test_families_cover_the_grid_once_and_have_a_share_each():
    covered = np.concatenate([np.arange(sum(SIZES))[place] for place in SLICES])
    assert covered.tolist() == list(range(sum(SIZES)))
    assert len(DEFAULT.shares) == len(FAMILIES)
    assert sum(DEFAULT.shares) == pytest.approx(1)


@pytest.mark.parametrize("name", ["holt", "drift", "theta_dynamic", "ar_differences"])
def test_errors_do_not_look_ahead(name):
    family = BY_NAME[name]
    errors, _ = unfold(family, 9, 3)
    for year in range(9):
        assert np.all(errors[:, year, year + 1 : 9] == 0)


def test_smoothing_reproduces_the_recursion_on_numbers():
    alpha, beta, phi = 0.6, 0.2, 0.9
    values, level, trend = np.array([3.0, 4.0, 6.0, 5.0]), 2.5, 0.5
    one = Family("one", smoothing, np.array([[alpha, beta, phi, 1.0]]))
    errors, forecasts = unfold(one, 4, 2)
    states = np.array([*values, level, trend])
    expected = []
    for value in values:
        error = value - level - phi * trend
        level, trend = level + phi * trend + alpha * error, phi * trend + beta * error
        expected.append(error)
    np.testing.assert_allclose(errors[0] @ states, expected)
    np.testing.assert_allclose(
        forecasts[0] @ states, [level + phi * trend, level + (phi + phi**2) * trend]
    )


def test_differences_forecast_decays_to_the_mean_growth():
    one = Family("one", differences, np.array([[0.5, 0.0, 0.0, 1.0]]))
    _, forecasts = unfold(one, 3, 3)
    path = forecasts[0] @ np.array([0.0, 1.0, 3.0, 0.0, 1.0])  # last change 2, mean growth 1
    np.testing.assert_allclose(np.diff([3.0, *path]), [1.5, 1.25, 1.125])


def test_dynamic_theta_agrees_with_its_published_form():
    point = np.array([[0.4, 1 - 1 / 3.0, 0.0, 1.0]])
    family = Family("one", BY_NAME["theta_dynamic"].recursion, point)
    rng = np.random.default_rng(3)
    values, level = rng.normal(size=8).cumsum() + 9, 8.7
    errors, forecasts = unfold(family, 8, 2)
    states = np.array([*values, level, 0.0])
    alpha, history, fitted = 0.4, [], []
    for step in range(10):
        intercept, slope = _line(np.array(history)) if history else (0.0, 0.0)
        fade = (1 - alpha) ** step
        line = fade * intercept + (1 - fade * (1 - alpha)) / alpha * slope
        fitted.append(level + (1 - 1 / 3) * line)
        history.append(values[step] if step < 8 else fitted[-1])
        level = alpha * history[-1] + (1 - alpha) * level
    np.testing.assert_allclose((errors[0] @ states)[1:], values[1:] - fitted[1:8])
    np.testing.assert_allclose(forecasts[0] @ states, fitted[8:])


def _line(history):
    if len(history) == 1:
        return history[0], 0.0
    slope, intercept = np.polyfit(np.arange(1, len(history) + 1), history, 1)
    return intercept, slope
