import numpy as np
import pytest

from opmq_lib.methods.forecast.grid import FAMILIES, SIZES, Family, smoothing, unfold
from opmq_lib.methods.forecast.operators import integrate_states, operators, plan

IDS = [family.name for family in FAMILIES]


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
def test_quadratic_form_is_the_penalised_least_squares_over_initial_states(family):
    length = 11
    x = np.random.default_rng(1).normal(size=length).cumsum()
    errors, forecasts = unfold(family, length, 3)
    quadratic, _, forecast, _ = operators(family, length, 3)
    for p, ridge in enumerate(family.points[:, 3]):
        on_years, on_states = errors[p, :, :-2], errors[p, :, -2:]
        design = np.vstack([-on_states, [0, np.sqrt(ridge)]])
        target = np.append(on_years @ x, 0.0)
        states, *_ = np.linalg.lstsq(design, target, rcond=None)
        residual = target - design @ states
        assert x @ quadratic[p] @ x == pytest.approx(residual @ residual, rel=1e-8)
        np.testing.assert_allclose(forecast[p] @ x, forecasts[p] @ [*x, *states], rtol=1e-8)


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
def test_a_shift_changes_no_residual_and_shifts_forecasts(family):
    quadratic, _, forecast, _ = operators(family, 9, 4)
    ones = np.ones(9)
    np.testing.assert_allclose(quadratic @ ones, 0, atol=1e-9)
    np.testing.assert_allclose(forecast @ ones, 1, atol=1e-9)


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
def test_variance_grows_with_the_horizon(family):
    variance = operators(family, 9, 5)[3]
    assert np.all(np.diff(variance, axis=1) > -1e-9)
    assert np.all(variance >= 1)


def test_variance_is_that_of_the_published_psi_weights_of_damped_trend():
    alpha, beta, phi = 0.6, 0.2, 0.9
    certain_trend = Family("one", smoothing, np.array([[alpha, beta, phi, 1e12]]))
    variance = operators(certain_trend, 60, 4)[3][0]
    psi = alpha + beta * np.cumsum(phi ** np.arange(1, 4))
    np.testing.assert_allclose(variance, 1 + np.r_[0, np.cumsum(psi**2)], rtol=1e-6)


def test_log_determinant_is_that_of_the_marginal_likelihood():
    # y = level + trend t + e with known ridge: |V| = |W'W + R| / r up to the flat level.
    years = 6
    states = np.stack([np.ones(years), np.arange(years)], 1)
    errors = np.concatenate([np.eye(years), -states], axis=1)[None]
    ridge = np.array([2.5])
    _, half_logdet, _, _ = integrate_states(errors, ridge)
    covariance = np.eye(years) + np.outer(states[:, 1], states[:, 1]) / 2.5
    ones = np.ones(years)
    flat = np.log(ones @ np.linalg.solve(covariance, ones))
    expected = (np.linalg.slogdet(covariance)[1] + flat) / 2
    assert half_logdet[0] == pytest.approx(expected)


def test_plan_drops_the_last_year_and_stacks_the_families():
    found = plan(8, 3)
    assert found.quadratic.shape == (sum(SIZES), 28)
    assert found.forecast.shape == (3 * sum(SIZES), 7)
    x = np.append(np.random.default_rng(0).normal(size=7), 0.0)
    first = operators(FAMILIES[0], 8, 3)
    products = np.outer(x[:-1], x[:-1])[np.triu_indices(7)]
    np.testing.assert_allclose(
        found.quadratic[0] @ products, x @ first[0][0] @ x, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(found.forecast[0] @ x[:-1], first[2][0, 0] @ x, rtol=1e-4)
